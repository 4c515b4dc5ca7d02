// Sliding window: turns a picture into the windows of a convolution or pooling, Pe channels a cycle.
//
// Formula: for each output pixel (oy, ox) the pixels (oy*StrideV + ky*DilationV, ox*StrideH +
// kx*DilationH) of the picture, in the order ky, kx, channels. No padding: pad.sv does that.
//
// Timing contract: two sequencers around a line buffer. The reader has one event for each beat of in0;
// it keeps those that a window uses (needs a free word) and drops the rest. The writer has one event
// for each beat of out0; it needs that beat in the buffer, kept in an earlier cycle, and its last event
// of a window releases all that no later window uses; those words are free in the next cycle.
// Data come Stages cycles after issue. in0_ready_o depends on in0_valid_i of the same cycle,
// out0_issue_o on out0_space_i.
// Memory: the line buffer holds Depth beats as a ring. With Kept pixels a row it needs at least
// ((KernelV - 1)*DilationV*Kept + (KernelH - 1)*DilationH + 1) * Groups of them.
// Python twin: codesign/blocks/window.py, codesign/blocks/window_program.py.
module window #(
    parameter int Pe = 2,
    // Channels / Pe.
    parameter int Groups = 2,
    parameter int Bits = 4,
    parameter int Height = 6,
    parameter int Width = 5,
    // Vertical, then horizontal.
    parameter int KernelV = 3,
    parameter int KernelH = 3,
    parameter int StrideV = 1,
    parameter int StrideH = 1,
    parameter int DilationV = 1,
    parameter int DilationH = 1,
    // Words of the line buffer.
    parameter int Depth = 53,
    // 0: LUTs, 1: block RAM.
    parameter int Style = 0,
    // 1: the buffer's output register; 2: one more behind it.
    parameter int Stages = 1
) (
    input  logic               clk_i,
    input  logic               rst_i,
    input  logic               in0_valid_i,
    output logic               in0_ready_o,
    input  logic [Pe*Bits-1:0] in0_data_i,
    input  logic               out0_space_i,
    output logic               out0_issue_o,
    output logic               out0_valid_o,
    output logic [Pe*Bits-1:0] out0_data_o
);
  // Per axis: pixels that the kernel spans, windows, pixels from one window to the next in the buffer,
  // pixels kept in a row.
  localparam int SpanV = (KernelV - 1) * DilationV + 1;
  localparam int SpanH = (KernelH - 1) * DilationH + 1;
  localparam int StepsV = (Height - SpanV) / StrideV + 1;
  localparam int StepsH = (Width - SpanH) / StrideH + 1;
  localparam int MoveV = StrideV < SpanV ? StrideV : SpanV;
  localparam int MoveH = StrideH < SpanH ? StrideH : SpanH;
  localparam int Kept = (StepsH - 1) * MoveH + SpanH;
  // What the last window of a row and of a frame release, in pixels.
  localparam int RowEnd = MoveV * Kept - (StepsH - 1) * MoveH;
  localparam int FrameEnd = SpanV * Kept - (StepsH - 1) * MoveH;
  localparam int Smallest = ((SpanV - 1) * Kept + SpanH) * Groups;
  if (Depth < Smallest) begin : gen_check_depth
    $fatal(1, "window: Depth must be at least %0d, not %0d", Smallest, Depth);
  end
  if (Stages < 1) begin : gen_check_stages
    $fatal(1, "window: Stages must be at least 1, not %0d (Style %0d)", Stages, Style);
  end

  localparam int AddrBits = Depth > 1 ? $clog2(Depth) : 1;
  localparam int LevelBits = $clog2(Depth + 1);
  localparam int SumBits = $clog2(2 * Depth + 1);

  // Tokens in the line buffer: written, released, there.
  logic lines_issue, keeps;
  logic [LevelBits-1:0] level_q, lines_released;
  logic [AddrBits-1:0] tail_q;

  window_reader #(
      .Groups   (Groups),
      .Height   (Height),
      .Width    (Width),
      .KernelV  (KernelV),
      .KernelH  (KernelH),
      .StrideV  (StrideV),
      .StrideH  (StrideH),
      .DilationV(DilationV),
      .DilationH(DilationH)
  ) u_reader (
      .clk_i,
      .rst_i,
      .valid_i(in0_valid_i),
      .space_i(level_q != LevelBits'(Depth)),
      .takes_o(in0_ready_o),
      .keeps_o(keeps)
  );
  assign lines_issue = in0_ready_o && keeps;

  always_ff @(posedge clk_i) begin
    if (rst_i) tail_q <= '0;
    else if (lines_issue) tail_q <= tail_q == AddrBits'(Depth - 1) ? '0 : tail_q + 1'b1;
  end

  // Writer: group of channels, tap, window; offsets of the beat and of its row from the first token.
  localparam int GroupBits = $clog2(Groups + 1);
  localparam int TapHBits = $clog2(KernelH + 1);
  localparam int TapVBits = $clog2(KernelV + 1);
  localparam int StepHBits = $clog2(StepsH + 1);
  localparam int StepVBits = $clog2(StepsV + 1);

  logic [GroupBits-1:0] group_q;
  logic [TapHBits-1:0] tap_h_q;
  logic [TapVBits-1:0] tap_v_q;
  logic [StepHBits-1:0] step_h_q;
  logic [StepVBits-1:0] step_v_q;
  logic [LevelBits-1:0] offset_q, offset_d, row_offset_q, row_offset_d;
  logic [AddrBits-1:0] head_q, head_d, address;
  logic [SumBits-1:0] address_sum, head_sum;
  logic gives, group_last, tap_h_last, tap_v_last, step_h_last, step_v_last, window_done;

  assign group_last = group_q == GroupBits'(Groups - 1);
  assign tap_h_last = group_last && tap_h_q == TapHBits'(KernelH - 1);
  assign tap_v_last = tap_v_q == TapVBits'(KernelV - 1);
  assign window_done = tap_h_last && tap_v_last;
  assign step_h_last = step_h_q == StepHBits'(StepsH - 1);
  assign step_v_last = step_v_q == StepVBits'(StepsV - 1);
  assign gives = level_q > offset_q && out0_space_i;
  assign out0_issue_o = gives;

  always_comb begin
    offset_d = offset_q + 1'b1;
    row_offset_d = row_offset_q;
    if (window_done) begin
      offset_d = '0;
      row_offset_d = '0;
    end else if (tap_h_last) begin
      offset_d = row_offset_q + LevelBits'(DilationV * Kept * Groups);
      row_offset_d = offset_d;
    end else if (group_last) begin
      offset_d = offset_q + LevelBits'((DilationH - 1) * Groups + 1);
    end
  end

  always_comb begin
    lines_released = '0;
    if (gives && window_done) begin
      lines_released = LevelBits'(MoveH * Groups);
      if (step_h_last) lines_released = LevelBits'(RowEnd * Groups);
      if (step_h_last && step_v_last) lines_released = LevelBits'(FrameEnd * Groups);
    end
  end

  // The ring: sums of two places below Depth wrap once; FrameEnd may be the whole of it.
  assign address_sum = SumBits'(head_q) + SumBits'(offset_q);
  assign address = AddrBits'(address_sum >= SumBits'(Depth) ? address_sum - SumBits'(Depth) :
                             address_sum);
  assign head_sum = SumBits'(head_q) + SumBits'(lines_released);
  assign head_d = AddrBits'(head_sum >= SumBits'(Depth) ? head_sum - SumBits'(Depth) : head_sum);

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      level_q <= '0;
      head_q  <= '0;
    end else begin
      level_q <= level_q + LevelBits'(lines_issue) - lines_released;
      head_q  <= head_d;
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      group_q <= '0;
      tap_h_q <= '0;
      tap_v_q <= '0;
      step_h_q <= '0;
      step_v_q <= '0;
      offset_q <= '0;
      row_offset_q <= '0;
    end else if (gives) begin
      offset_q <= offset_d;
      row_offset_q <= row_offset_d;
      group_q <= group_last ? '0 : group_q + 1'b1;
      if (group_last) tap_h_q <= tap_h_last ? '0 : tap_h_q + 1'b1;
      if (tap_h_last) tap_v_q <= tap_v_last ? '0 : tap_v_q + 1'b1;
      if (window_done) step_h_q <= step_h_last ? '0 : step_h_q + 1'b1;
      if (window_done && step_h_last) step_v_q <= step_v_last ? '0 : step_v_q + 1'b1;
    end
  end

  logic [Pe*Bits-1:0] read;
  ram #(
      .Width(Pe * Bits),
      .Depth(Depth),
      .Style(Style)
  ) u_lines (
      .clk_i,
      .write_i(lines_issue),
      .waddr_i(tail_q),
      .data_i (in0_data_i),
      .raddr_i(address),
      .data_o (read)
  );
  delay #(
      .Width (Pe * Bits),
      .Cycles(Stages - 1)
  ) u_data (
      .clk_i,
      .rst_i (1'b0),
      .data_i(read),
      .data_o(out0_data_o)
  );
  delay #(
      .Cycles(Stages),
      .Reset (1)
  ) u_valid (
      .clk_i,
      .rst_i,
      .data_i(gives),
      .data_o(out0_valid_o)
  );
endmodule
