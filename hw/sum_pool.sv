// Sum pooling behind a window, Pe channels of Simd taps a cycle; an average is divided by the quantiser
// after it.
//
// Formula: y[c] = the sum of Simd * Rounds values x[k, c], in OutBits bits (the caller chooses enough).
// Timing contract, per vector: Rounds * Groups reads of in0, tap by tap; those of the last round also
// write out0 and alone wait for space. Data come L = 1 + ceil(ceil(log2 Simd) / 2) cycles after issue.
// in0_ready_o and out0_issue_o depend on in0_valid_i and out0_space_i of the same cycle.
// Memory: see tap_reduction.sv.
// Kinds of a value: 0 unsigned, 1 and 3 two's complement, 2 bipolar (1 is +1, 0 is -1).
// Python twin: codesign/blocks/sum_pool.py, codesign/blocks/pool.py.
module sum_pool #(
    parameter int Pe = 2,
    // Taps a beat; with more than one all channels are in it.
    parameter int Simd = 1,
    // Taps / Simd.
    parameter int Rounds = 4,
    // Channels / Pe.
    parameter int Groups = 2,
    parameter int InBits = 4,
    parameter int InKind = 1,
    parameter int OutBits = 6,
    // Where the results so far lie: see state_ram.sv.
    parameter int StateStyle = 0
) (
    input  logic                      clk_i,
    input  logic                      rst_i,
    input  logic                      in0_valid_i,
    output logic                      in0_ready_o,
    input  logic [Simd*Pe*InBits-1:0] in0_data_i,
    input  logic                      out0_space_i,
    output logic                      out0_issue_o,
    output logic                      out0_valid_o,
    output logic [    Pe*OutBits-1:0] out0_data_o
);
  // A term as two's complement; unsigned ones stay as they are.
  localparam int TermBits = InKind == 2 ? 2 : InBits;
  localparam int SumBits = TermBits + $clog2(Simd);
  localparam int Signed = InKind == 0 ? 0 : 1;

  logic [Pe*SumBits-1:0] sums;
  for (genvar p = 0; p < Pe; p++) begin : gen_lane
    logic [Simd*TermBits-1:0] terms;
    for (genvar s = 0; s < Simd; s++) begin : gen_tap
      extend #(
          .InBits (InBits),
          .InKind (InKind),
          .OutBits(TermBits)
      ) u_term (
          .data_i(in0_data_i[(s*Pe+p)*InBits+:InBits]),
          .data_o(terms[s*TermBits+:TermBits])
      );
    end
    adder_tree #(
        .Lanes (Simd),
        .Bits  (TermBits),
        .Signed(Signed)
    ) u_tree (
        .clk_i,
        .data_i(terms),
        .sum_o (sums[p*SumBits+:SumBits])
    );
  end
  tap_reduction #(
      .Pe       (Pe),
      .Rounds   (Rounds),
      .Groups   (Groups),
      .Bits     (OutBits),
      .ValueBits(SumBits),
      .Signed   (Signed),
      .Style    (StateStyle),
      .Latency  (($clog2(Simd) + 1) / 2)
  ) u_reduction (
      .clk_i,
      .rst_i,
      .in0_valid_i,
      .in0_ready_o,
      .out0_space_i,
      .out0_issue_o,
      .value_i (sums),
      .valid_o (out0_valid_o),
      .result_o(out0_data_o)
  );
endmodule
