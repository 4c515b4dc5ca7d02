// Scaled addition of two streams: the join of a residual connection, Pe channels a cycle.
//
// Formula: y = in0 * Scale0 + in1 * Scale1 in OutBits bits (the caller chooses enough of them).
// Timing contract: every event reads in0 and in1 and writes out0; data come Stages cycles after issue:
// 1 (the sum), or 2 (the products with the scales are registered, too). Both ready outputs and
// out0_issue_o depend on the valid inputs and out0_space_i of the same cycle.
// Kinds of an input: 0 unsigned, 1 and 3 two's complement, 2 bipolar (1 is +1, 0 is -1).
// Python twin: codesign/blocks/add.py.
module add #(
    parameter int Pe = 2,
    parameter int In0Bits = 4,
    parameter int In0Kind = 1,
    parameter int In1Bits = 4,
    parameter int In1Kind = 1,
    parameter int Scale0 = 1,
    parameter int Scale1 = 1,
    parameter int OutBits = 5,
    parameter int Stages = 1
) (
    input  logic                  clk_i,
    input  logic                  rst_i,
    input  logic                  in0_valid_i,
    output logic                  in0_ready_o,
    input  logic [Pe*In0Bits-1:0] in0_data_i,
    input  logic                  in1_valid_i,
    output logic                  in1_ready_o,
    input  logic [Pe*In1Bits-1:0] in1_data_i,
    input  logic                  out0_space_i,
    output logic                  out0_issue_o,
    output logic                  out0_valid_o,
    output logic [Pe*OutBits-1:0] out0_data_o
);
  if (Stages != 1 && Stages != 2) begin : gen_check
    $fatal(1, "add: Stages must be 1 or 2, not %0d (OutBits %0d)", Stages, OutBits);
  end

  logic step;
  assign step = in0_valid_i && in1_valid_i && out0_space_i;
  assign in0_ready_o = step;
  assign in1_ready_o = step;
  assign out0_issue_o = step;
  delay #(
      .Cycles(Stages),
      .Reset (1)
  ) u_valid (
      .clk_i,
      .rst_i,
      .data_i(step),
      .data_o(out0_valid_o)
  );

  for (genvar p = 0; p < Pe; p++) begin : gen_lane
    logic [OutBits-1:0] added0, added1, sum_q;
    scaled #(
        .InBits (In0Bits),
        .InKind (In0Kind),
        .Scale  (Scale0),
        .OutBits(OutBits),
        .Cycles (Stages - 1)
    ) u_added0 (
        .clk_i,
        .data_i(in0_data_i[p*In0Bits+:In0Bits]),
        .data_o(added0)
    );
    scaled #(
        .InBits (In1Bits),
        .InKind (In1Kind),
        .Scale  (Scale1),
        .OutBits(OutBits),
        .Cycles (Stages - 1)
    ) u_added1 (
        .clk_i,
        .data_i(in1_data_i[p*In1Bits+:In1Bits]),
        .data_o(added1)
    );
    always_ff @(posedge clk_i) sum_q <= added0 + added1;
    assign out0_data_o[p*OutBits+:OutBits] = sum_q;
  end
endmodule
