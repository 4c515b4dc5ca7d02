// A FIFO with credit: joins one writing and one reading process.
//
// Timing contract: a token issued in cycle t, whose data its writer delivers in cycle t + L, can be
// read from cycle t + 1 + L + (Style == 1) on; the slot of a token released in cycle t can be issued
// into from cycle t + 1 on. `space_o` and `valid_o` are registered state: neither depends on anything
// of the same cycle. Depth counts every token from issue to release, those in the writer's pipeline
// included, so full rate needs Depth >= 2 + L + (Style == 1).
//
// The writer raises `data_valid_i` with the data exactly L cycles after `issue_i` (L may be 0), in
// order. `data_o` holds still while `valid_o` waits for `ready_i`.
// Not guaranteed: `data_o` while `valid_o` is low.
// Memory: Depth words of Width bits, written at the tail, read at the head.
// Python twin: codesign/design.py (Stream).
module channel #(
    // Bits of one token.
    parameter int Width = 8,
    // Tokens, those in flight included.
    parameter int Depth = 2,
    // 0: LUT RAM; 1: block RAM, one cycle later; 2: registers.
    parameter int Style = 0
) (
    input  logic             clk_i,
    input  logic             rst_i,
    output logic             space_o,
    input  logic             issue_i,
    input  logic             data_valid_i,
    input  logic [Width-1:0] data_i,
    output logic             valid_o,
    input  logic             ready_i,
    output logic [Width-1:0] data_o
);
  if (Depth < 1) begin : gen_check_depth
    $fatal(1, "channel: Depth must be at least 1, not %0d (Width %0d)", Depth, Width);
  end
  if (Style < 0 || Style > 2) begin : gen_check_style
    $fatal(1, "channel: Style must be 0 (LUT RAM), 1 (block RAM) or 2 (registers), not %0d", Style);
  end

  localparam int CountBits = $clog2(Depth + 1);
  localparam int PointerBits = Depth > 1 ? $clog2(Depth) : 1;
  localparam logic [PointerBits-1:0] Last = PointerBits'(Depth - 1);

  logic [CountBits-1:0] space_q, level_q;
  logic [PointerBits-1:0] head_q, head_d, tail_q, tail_d;
  logic arrived;

  assign space_o = space_q != 0;
  assign valid_o = level_q != 0;
  assign head_d  = !ready_i ? head_q : head_q == Last ? '0 : head_q + 1'b1;
  assign tail_d  = !data_valid_i ? tail_q : tail_q == Last ? '0 : tail_q + 1'b1;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      space_q <= CountBits'(Depth);
      level_q <= '0;
      head_q  <= '0;
      tail_q  <= '0;
    end else begin
      space_q <= space_q - CountBits'(issue_i) + CountBits'(ready_i);
      level_q <= level_q + CountBits'(arrived) - CountBits'(ready_i);
      head_q  <= head_d;
      tail_q  <= tail_d;
    end
  end

  if (Style == 1) begin : gen_block
    (* ram_style = "block" *) logic [Width-1:0] words[Depth];
    logic arrived_q;
    always_ff @(posedge clk_i) begin
      if (data_valid_i) words[tail_q] <= data_i;
      data_o <= words[head_d];
    end
    always_ff @(posedge clk_i) arrived_q <= data_valid_i && !rst_i;
    assign arrived = arrived_q;
  end else if (Style == 2) begin : gen_registers
    (* ram_style = "registers" *) logic [Width-1:0] words[Depth];
    always_ff @(posedge clk_i) if (data_valid_i) words[tail_q] <= data_i;
    assign data_o  = words[head_q];
    assign arrived = data_valid_i;
  end else begin : gen_lut
    (* ram_style = "distributed" *) logic [Width-1:0] words[Depth];
    always_ff @(posedge clk_i) if (data_valid_i) words[tail_q] <= data_i;
    assign data_o  = words[head_q];
    assign arrived = data_valid_i;
  end

`ifndef SYNTHESIS
  logic [CountBits-1:0] in_flight_q;
  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      in_flight_q <= '0;
    end else begin
      in_flight_q <= in_flight_q + CountBits'(issue_i) - CountBits'(data_valid_i);
      if (issue_i && !space_o) $fatal(1, "%m: issued without space");
      if (ready_i && !valid_o) $fatal(1, "%m: released without a token");
      if (data_valid_i && !issue_i && in_flight_q == 0) $fatal(1, "%m: data without issue");
    end
  end
`endif
endmodule
