// Concatenation: chunks of two streams in turn, Pe elements a cycle.
//
// Formula: again and again Beats0 beats of in0, then Beats1 beats of in1, each value in OutBits bits.
// Timing contract: every event reads the input whose turn it is and writes out0; data come in the cycle
// of issue, through a multiplexer. The ready output of that input and out0_issue_o depend on its valid
// input and out0_space_i of the same cycle; the other input waits.
// Kinds of an input: 0 unsigned, 1 and 3 two's complement, 2 bipolar (1 is +1, 0 is -1).
// Python twin: codesign/blocks/concat.py.
module concat #(
    parameter int Pe = 2,
    parameter int Beats0 = 2,
    parameter int Beats1 = 1,
    parameter int In0Bits = 4,
    parameter int In0Kind = 0,
    parameter int In1Bits = 4,
    parameter int In1Kind = 0,
    parameter int OutBits = 4
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
  if (Beats0 < 1 || Beats1 < 1) begin : gen_check
    $fatal(1, "concat: Beats0 and Beats1 must be at least 1, not %0d and %0d", Beats0, Beats1);
  end

  localparam int Beats = Beats0 + Beats1;
  localparam int BeatBits = $clog2(Beats);

  logic [BeatBits-1:0] beat_q;
  logic first, step;

  assign first = beat_q < BeatBits'(Beats0);
  assign step = out0_space_i && (first ? in0_valid_i : in1_valid_i);
  assign in0_ready_o = step && first;
  assign in1_ready_o = step && !first;
  assign out0_issue_o = step;
  assign out0_valid_o = step;

  always_ff @(posedge clk_i) begin
    if (rst_i) beat_q <= '0;
    else if (step) beat_q <= beat_q == BeatBits'(Beats - 1) ? '0 : beat_q + 1'b1;
  end

  for (genvar p = 0; p < Pe; p++) begin : gen_lane
    logic [OutBits-1:0] a, b;
    extend #(
        .InBits (In0Bits),
        .InKind (In0Kind),
        .OutBits(OutBits)
    ) u_a (
        .data_i(in0_data_i[p*In0Bits+:In0Bits]),
        .data_o(a)
    );
    extend #(
        .InBits (In1Bits),
        .InKind (In1Kind),
        .OutBits(OutBits)
    ) u_b (
        .data_i(in1_data_i[p*In1Bits+:In1Bits]),
        .data_o(b)
    );
    assign out0_data_o[p*OutBits+:OutBits] = first ? a : b;
  end
endmodule
