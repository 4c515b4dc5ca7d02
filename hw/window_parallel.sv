// Sliding window whose taps come in parallel: a window, or one row of it, in a beat.
//
// Formula: as window.sv; a beat holds KernelH * KernelV / Beats taps of Bits bits in the order ky, kx.
//
// Timing contract: two sequencers around a line buffer. The reader is that of window.sv, a pixel a beat.
// The writer takes the Kept columns of each row of windows in turn. An event for each column needs its
// pixel of the lowest kernel row in the buffer, kept in an earlier cycle, and releases one pixel; the
// last of a row of windows releases all that no later window uses. The event of a column that completes
// a window also writes the window's first beat; Beats - 1 events follow that write the others.
// Data come Stages cycles after issue. in0_ready_o depends on in0_valid_i of the same cycle,
// out0_issue_o on out0_space_i.
// Memory: the picture's rows lie in Banks memories in turn, each of Slots lines of Line pixels. An event
// reads one column, a pixel from each bank, and shifts it into a register of SpanH columns. So each
// kernel row has one multiplexer over the banks; memories that gave every tap at once would need one
// for each tap.
// Python twin: codesign/blocks/window.py, codesign/blocks/window_parallel.py.
module window_parallel #(
    // Bits of a pixel, all channels.
    parameter int Bits = 8,
    parameter int Height = 6,
    parameter int Width = 5,
    // Vertical, then horizontal.
    parameter int KernelV = 3,
    parameter int KernelH = 3,
    parameter int StrideV = 1,
    parameter int StrideH = 1,
    parameter int DilationV = 1,
    parameter int DilationH = 1,
    // Beats of a window: 1 or KernelV.
    parameter int Beats = 1,
    parameter int Banks = 3,
    parameter int Slots = 2,
    // Kept pixels of a row; any ring of SpanH or more when the kernel has one row.
    parameter int Line = 5,
    // 0: LUTs, 1: block RAM.
    parameter int Style = 0,
    // 2: the memories' and the window's registers; 3: one more between them.
    parameter int Stages = 2,
    localparam int OutBits = KernelV * KernelH * Bits / Beats
) (
    input  logic               clk_i,
    input  logic               rst_i,
    input  logic               in0_valid_i,
    output logic               in0_ready_o,
    input  logic [   Bits-1:0] in0_data_i,
    input  logic               out0_space_i,
    output logic               out0_issue_o,
    output logic               out0_valid_o,
    output logic [OutBits-1:0] out0_data_o
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
  // Pixels from the first one in the buffer to the lowest kernel row of the same column; what the last
  // column of a row and of a frame release.
  localparam int Lowest = (SpanV - 1) * Kept;
  localparam int RowEnd = (MoveV - 1) * Kept + 1;
  localparam int FrameEnd = (SpanV - 1) * Kept + 1;
  localparam int Words = Slots * Line;
  localparam int Depth = Banks * Words;
  if (Beats != 1 && Beats != KernelV) begin : gen_check_beats
    $fatal(1, "window_parallel: Beats must be 1 or KernelV (%0d), not %0d", KernelV, Beats);
  end
  if (Depth <= Lowest || (SpanV > 1 && Line != Kept)) begin : gen_check_depth
    $fatal(1, "window_parallel: Line must be %0d and all words over %0d, not %0d and %0d", Kept,
           Lowest, Line, Depth);
  end
  for (genvar ky = 1; ky < KernelV; ky++) begin : gen_check_banks
    if (ky * DilationV % Banks == 0) begin : gen_collision
      $fatal(1, "window_parallel: rows 0 and %0d of the kernel must not share one of %0d banks", ky,
             Banks);
    end
  end
  if (Stages < 2) begin : gen_check_stages
    $fatal(1, "window_parallel: Stages must be at least 2, not %0d (Style %0d)", Stages, Style);
  end

  localparam int LevelBits = $clog2(Depth + 1);
  localparam int PlaceBits = $clog2(Line + 1);
  localparam int AddrBits = Words > 1 ? $clog2(Words) : 1;

  // Pixels in the line buffer: written, released, there.
  logic lines_issue, keeps;
  logic [LevelBits-1:0] level_q, lines_released;

  window_reader #(
      .Groups   (1),
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

  // Writer: beat of a window, column, columns until the next window, row of windows.
  localparam int BeatBits = Beats > 1 ? $clog2(Beats) : 1;
  localparam int ColumnBits = $clog2(Kept + 1);
  localparam int WaitBits = $clog2(SpanH + 1);
  localparam int StepBits = $clog2(StepsV + 1);
  logic [BeatBits-1:0] beat_q;
  logic [ColumnBits-1:0] column_q;
  logic [WaitBits-1:0] wait_q;
  logic [StepBits-1:0] step_q;
  logic starts, loads, complete, row_done, frame_done;

  assign starts = beat_q == 0;
  assign complete = wait_q == 0;
  assign loads = starts && level_q > LevelBits'(Lowest) && (!complete || out0_space_i);
  assign out0_issue_o = starts ? loads && complete : out0_space_i;
  assign row_done = loads && column_q == ColumnBits'(Kept - 1);
  assign frame_done = row_done && step_q == StepBits'(StepsV - 1);

  always_comb begin
    lines_released = LevelBits'(loads);
    if (row_done) lines_released = frame_done ? LevelBits'(FrameEnd) : LevelBits'(RowEnd);
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      level_q <= '0;
      beat_q <= '0;
      column_q <= '0;
      wait_q <= WaitBits'(SpanH - 1);
      step_q <= '0;
    end else begin
      level_q <= level_q + LevelBits'(lines_issue) - lines_released;
      if (out0_issue_o) beat_q <= beat_q == BeatBits'(Beats - 1) ? '0 : beat_q + 1'b1;
      if (loads) begin
        column_q <= row_done ? '0 : column_q + 1'b1;
        wait_q   <= row_done ? WaitBits'(SpanH - 1) :
            complete ? WaitBits'(MoveH - 1) : wait_q - 1'b1;
      end
      if (row_done) step_q <= frame_done ? '0 : step_q + 1'b1;
    end
  end

  // Places in a line: of the pixel that is written and of the column that is read.
  logic [PlaceBits-1:0] tail_q, head_q;
  logic tail_last;
  assign tail_last = tail_q == PlaceBits'(Line - 1);
  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      tail_q <= '0;
      head_q <= '0;
    end else begin
      if (lines_issue) tail_q <= tail_last ? '0 : tail_q + 1'b1;
      if (loads) head_q <= head_q == PlaceBits'(Line - 1) ? '0 : head_q + 1'b1;
    end
  end

  // Bank and slot of the row that is written and of each kernel row.
  localparam int BankBits = Banks > 1 ? $clog2(Banks) : 1;
  localparam int SlotBits = Slots > 1 ? $clog2(Slots) : 1;
  logic [BankBits-1:0] write_bank;
  logic [SlotBits-1:0] write_slot;
  logic [KernelV*BankBits-1:0] bank;
  logic [KernelV*SlotBits-1:0] slot;
  bank_counter #(
      .Banks(Banks),
      .Slots(Slots),
      .Step (1),
      .Leap (1)
  ) u_write_row (
      .clk_i,
      .rst_i,
      .step_i(lines_issue && tail_last),
      .leap_i(1'b0),
      .bank_o(write_bank),
      .slot_o(write_slot)
  );
  for (genvar ky = 0; ky < KernelV; ky++) begin : gen_row
    bank_counter #(
        .Banks(Banks),
        .Slots(Slots),
        .First(ky * DilationV),
        .Step (MoveV),
        .Leap (SpanV)
    ) u_read_row (
        .clk_i,
        .rst_i,
        .step_i(row_done),
        .leap_i(frame_done),
        .bank_o(bank[ky*BankBits+:BankBits]),
        .slot_o(slot[ky*SlotBits+:SlotBits])
    );
  end

  // One pixel from each bank.
  logic [Banks*Bits-1:0] read;
  logic [AddrBits-1:0] write_addr;
  logic [AddrBits-1:0] write_line;
  product_constant #(
      .Bits  (AddrBits),
      .Factor(Line)
  ) u_write_line (
      .a_i(AddrBits'(write_slot)),
      .product_o(write_line)
  );
  assign write_addr = write_line + AddrBits'(tail_q);
  for (genvar b = 0; b < Banks; b++) begin : gen_bank
    logic [SlotBits-1:0] read_slot;
    logic [AddrBits-1:0] read_line, read_addr;
    product_constant #(
        .Bits  (AddrBits),
        .Factor(Line)
    ) u_read_line (
        .a_i(AddrBits'(read_slot)),
        .product_o(read_line)
    );
    assign read_addr = read_line + AddrBits'(head_q);
    always_comb begin
      read_slot = '0;
      for (int ky = 0; ky < KernelV; ky++) begin
        if (bank[ky*BankBits+:BankBits] == BankBits'(b)) begin
          read_slot = read_slot | slot[ky*SlotBits+:SlotBits];
        end
      end
    end
    ram #(
        .Width(Bits),
        .Depth(Words),
        .Style(Style)
    ) u_lines (
        .clk_i,
        .write_i(lines_issue && write_bank == BankBits'(b)),
        .waddr_i(write_addr),
        .data_i (in0_data_i),
        .raddr_i(read_addr),
        .data_o (read[b*Bits+:Bits])
    );
  end

  // The column: the pixel of each kernel row, Stages - 1 cycles behind its event.
  logic [Banks*Bits-1:0] pixels;
  logic [KernelV*BankBits-1:0] from;
  logic [KernelV*Bits-1:0] column;
  logic shifts;
  delay #(
      .Width (Banks * Bits),
      .Cycles(Stages - 2)
  ) u_pixels (
      .clk_i,
      .rst_i (1'b0),
      .data_i(read),
      .data_o(pixels)
  );
  delay #(
      .Width (KernelV * BankBits),
      .Cycles(Stages - 1)
  ) u_from (
      .clk_i,
      .rst_i (1'b0),
      .data_i(bank),
      .data_o(from)
  );
  delay #(
      .Cycles(Stages - 1),
      .Reset (1)
  ) u_shifts (
      .clk_i,
      .rst_i,
      .data_i(loads),
      .data_o(shifts)
  );
  // Comparisons instead of an index: a shift by multiples of Bits would cost tools several times that.
  for (genvar ky = 0; ky < KernelV; ky++) begin : gen_choice
    always_comb begin
      column[ky*Bits+:Bits] = '0;
      for (int b = 0; b < Banks; b++) begin
        if (from[ky*BankBits+:BankBits] == BankBits'(b)) begin
          column[ky*Bits+:Bits] = pixels[b*Bits+:Bits];
        end
      end
    end
  end

  // The last SpanH columns, the newest in the highest bits, and the taps among them. They are reset
  // although they are data: Yosys (0.23, 0.59) makes SRL16E of columns between dilated taps and drops
  // their enable; registers with a reset stay registers.
  localparam int ColumnWidth = KernelV * Bits;
  logic [SpanH*ColumnWidth-1:0] columns_q, columns_d;
  logic [KernelV*KernelH*Bits-1:0] taps;
  if (SpanH == 1) begin : gen_one_column
    assign columns_d = column;
  end else begin : gen_columns
    assign columns_d = {column, columns_q[SpanH*ColumnWidth-1:ColumnWidth]};
  end
  always_ff @(posedge clk_i) begin
    if (rst_i) columns_q <= '0;
    else if (shifts) columns_q <= columns_d;
  end
  for (genvar ky = 0; ky < KernelV; ky++) begin : gen_tap_row
    for (genvar kx = 0; kx < KernelH; kx++) begin : gen_tap
      assign taps[(ky*KernelH+kx)*Bits+:Bits] =
          columns_q[kx*DilationH*ColumnWidth+ky*Bits+:Bits];
    end
  end

  logic [BeatBits-1:0] beat;
  delay #(
      .Width (BeatBits),
      .Cycles(Stages)
  ) u_beat (
      .clk_i,
      .rst_i (1'b0),
      .data_i(beat_q),
      .data_o(beat)
  );
  if (Beats == 1) begin : gen_whole
    logic unused;
    assign unused = beat[0];
    assign out0_data_o = taps;
  end else begin : gen_by_row
    always_comb begin
      out0_data_o = '0;
      for (int i = 0; i < Beats; i++) begin
        if (beat == BeatBits'(i)) out0_data_o = taps[i*OutBits+:OutBits];
      end
    end
  end
  delay #(
      .Cycles(Stages),
      .Reset (1)
  ) u_valid (
      .clk_i,
      .rst_i,
      .data_i(out0_issue_o),
      .data_o(out0_valid_o)
  );
endmodule
