// Sum pooling behind a window, Pe channels a cycle; an average is divided by the quantiser after it.
//
// Formula: y[c] = the sum of Taps values x[k, c], in OutBits bits (the caller chooses enough of them).
// Timing contract, per vector: Taps * Groups reads of in0, tap by tap; those of the last tap also write
// out0 and alone wait for space. Data come 1 cycle after issue. in0_ready_o and out0_issue_o depend on
// in0_valid_i and out0_space_i of the same cycle.
// Memory: the sum so far of each group of channels, read and written by the same event.
// Kinds of a value: 0 unsigned, 1 and 3 two's complement, 2 bipolar (1 is +1, 0 is -1).
// Python twin: codesign/blocks/sum_pool.py.
module sum_pool #(
    parameter int Pe = 2,
    parameter int Taps = 4,
    // Channels / Pe.
    parameter int Groups = 2,
    parameter int InBits = 4,
    parameter int InKind = 1,
    parameter int OutBits = 6
) (
    input  logic                  clk_i,
    input  logic                  rst_i,
    input  logic                  in0_valid_i,
    output logic                  in0_ready_o,
    input  logic [ Pe*InBits-1:0] in0_data_i,
    input  logic                  out0_space_i,
    output logic                  out0_issue_o,
    output logic                  out0_valid_o,
    output logic [Pe*OutBits-1:0] out0_data_o
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

  logic [Pe*OutBits-1:0] so_far, sums, result_q;
  state_ram #(
      .Width(Pe * OutBits),
      .Depth(Groups)
  ) u_sums (
      .clk_i,
      .write_i(step),
      .addr_i (group),
      .data_i (sums),
      .data_o (so_far)
  );
  for (genvar p = 0; p < Pe; p++) begin : gen_lane
    logic [OutBits-1:0] term;
    extend #(
        .InBits (InBits),
        .InKind (InKind),
        .OutBits(OutBits)
    ) u_term (
        .data_i(in0_data_i[p*InBits+:InBits]),
        .data_o(term)
    );
    assign sums[p*OutBits+:OutBits] = (first ? '0 : so_far[p*OutBits+:OutBits]) + term;
  end

  always_ff @(posedge clk_i) begin
    out0_valid_o <= out0_issue_o && !rst_i;
    result_q <= sums;
  end
  assign out0_data_o = result_q;
endmodule
