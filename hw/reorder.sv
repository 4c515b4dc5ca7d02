// Reorder: chunks of a stream written out again in another order, beats repeated if need be.
//
// Formula: a walk over the Chunk beats of each chunk by Axes nested loops. Loop d, the innermost is 0,
// runs Sizes[d] times; when it moves, all loops inside of it start again and the place in the chunk
// moves by Steps[d] (modulo 2^32). The walk starts at place 0.
//
// Timing contract: two sequencers around a buffer of two chunks. The reader has one event for each beat
// of in0 and needs a free word. The writer has one event for each beat of out0; it needs that beat in
// the buffer, read in an earlier cycle, and its last event of a chunk releases all of it; those words
// are free in the next cycle. Data come Stages cycles after issue. in0_ready_o depends on in0_valid_i
// of the same cycle, out0_issue_o on out0_space_i.
// Memory: 2 * Chunk words of Width bits, one chunk in each half.
// Python twin: codesign/blocks/reorder.py, codesign/blocks/walk.py.
module reorder #(
    // Bits of a beat.
    parameter int Width = 8,
    parameter int Chunk = 6,
    parameter int Axes = 2,
    // 32 bits a loop, the innermost in the lowest.
    parameter logic [32*Axes-1:0] Sizes = {32'd2, 32'd3},
    parameter logic [32*Axes-1:0] Steps = {32'd4294967293, 32'd2},
    // 0: LUTs, 1: block RAM.
    parameter int Style = 0,
    // 1: the buffer's output register; 2: one more behind it.
    parameter int Stages = 1
) (
    input  logic             clk_i,
    input  logic             rst_i,
    input  logic             in0_valid_i,
    output logic             in0_ready_o,
    input  logic [Width-1:0] in0_data_i,
    input  logic             out0_space_i,
    output logic             out0_issue_o,
    output logic             out0_valid_o,
    output logic [Width-1:0] out0_data_o
);
  if (Chunk < 1 || Stages < 1) begin : gen_check
    $fatal(1, "reorder: Chunk and Stages must be at least 1, not %0d and %0d", Chunk, Stages);
  end

  localparam int Depth = 2 * Chunk;
  localparam int AddrBits = $clog2(Depth);
  localparam int LevelBits = $clog2(Depth + 1);

  // Beats in the buffer: written, released, there.
  logic chunks_issue;
  logic [LevelBits-1:0] level_q, chunks_released;
  logic [AddrBits-1:0] tail_q, offset_q, address;
  logic half_q, gives, done;

  // Reader.
  assign chunks_issue = in0_valid_i && level_q != LevelBits'(Depth);
  assign in0_ready_o = chunks_issue;
  always_ff @(posedge clk_i) begin
    if (rst_i) tail_q <= '0;
    else if (chunks_issue) tail_q <= tail_q == AddrBits'(Depth - 1) ? '0 : tail_q + 1'b1;
  end

  // Writer: a digit for each loop; the outermost one that moves decides the step.
  logic [Axes-1:0] moves, last;
  logic [AddrBits-1:0] step;
  for (genvar d = 0; d < Axes; d++) begin : gen_digit
    localparam int Size = Sizes[32*d+:32];
    localparam int DigitBits = $clog2(Size + 1);
    logic [DigitBits-1:0] digit_q;
    assign last[d] = digit_q == DigitBits'(Size - 1);
    if (d == 0) begin : gen_inner
      assign moves[d] = gives;
    end else begin : gen_outer
      assign moves[d] = gives && &last[d-1:0];
    end
    always_ff @(posedge clk_i) begin
      if (rst_i) digit_q <= '0;
      else if (moves[d]) digit_q <= last[d] ? '0 : digit_q + 1'b1;
    end
  end
  always_comb begin
    step = '0;
    for (int d = 0; d < Axes; d++) begin
      if (moves[d]) step = AddrBits'(Steps[32*d+:32]);
    end
  end
  assign done = gives && &last;
  assign gives = level_q > LevelBits'(offset_q) && out0_space_i;
  assign out0_issue_o = gives;
  assign chunks_released = done ? LevelBits'(Chunk) : '0;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      level_q  <= '0;
      offset_q <= '0;
      half_q   <= 1'b0;
    end else begin
      level_q  <= level_q + LevelBits'(chunks_issue) - chunks_released;
      offset_q <= done ? '0 : offset_q + step;
      half_q   <= half_q ^ done;
    end
  end

  assign address = half_q ? offset_q + AddrBits'(Chunk) : offset_q;

  logic [Width-1:0] read;
  ram #(
      .Width(Width),
      .Depth(Depth),
      .Style(Style)
  ) u_chunks (
      .clk_i,
      .write_i(chunks_issue),
      .waddr_i(tail_q),
      .data_i (in0_data_i),
      .raddr_i(address),
      .data_o (read)
  );
  delay #(
      .Width (Width),
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
