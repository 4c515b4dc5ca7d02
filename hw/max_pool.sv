// Maximum pooling behind a window, Pe channels a cycle.
//
// Formula: y[c] = the largest of Taps values x[k, c].
// Timing contract, per vector: Taps * Groups reads of in0, tap by tap; those of the last tap also write
// out0 and alone wait for space. Data come 1 cycle after issue. in0_ready_o and out0_issue_o depend on
// in0_valid_i and out0_space_i of the same cycle.
// Memory: the maximum so far of each group of channels, read and written by the same event.
// Kinds of a value: 0 unsigned, 1 and 3 two's complement, 2 bipolar (1 is +1, 0 is -1).
// Python twin: codesign/blocks/max_pool.py.
module max_pool #(
    parameter int Pe = 2,
    parameter int Taps = 4,
    // Channels / Pe.
    parameter int Groups = 2,
    parameter int Bits = 4,
    parameter int Kind = 1
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
  localparam int GroupBits = Groups > 1 ? $clog2(Groups) : 1;

  logic step, first, last;
  logic [GroupBits-1:0] group;
  tap_sequencer #(
      .Taps  (Taps),
      .Groups(Groups)
  ) u_sequencer (
      .clk_i,
      .rst_i,
      .valid_i(in0_valid_i),
      .space_i(out0_space_i),
      .step_o (step),
      .first_o(first),
      .last_o (last),
      .group_o(group)
  );
  assign in0_ready_o  = step;
  assign out0_issue_o = step && last;

  logic [Pe*Bits-1:0] best, largest, result_q;
  state_ram #(
      .Width(Pe * Bits),
      .Depth(Groups)
  ) u_best (
      .clk_i,
      .write_i(step),
      .addr_i (group),
      .data_i (largest),
      .data_o (best)
  );
  for (genvar p = 0; p < Pe; p++) begin : gen_lane
    logic [Bits-1:0] x, y;
    logic larger;
    assign x = in0_data_i[p*Bits+:Bits];
    assign y = best[p*Bits+:Bits];
    if (Kind == 1 || Kind == 3) begin : gen_signed
      assign larger = $signed(x) > $signed(y);
    end else begin : gen_unsigned
      assign larger = x > y;
    end
    assign largest[p*Bits+:Bits] = first || larger ? x : y;
  end

  always_ff @(posedge clk_i) begin
    out0_valid_o <= out0_issue_o && !rst_i;
    result_q <= largest;
  end
  assign out0_data_o = result_q;
endmodule
