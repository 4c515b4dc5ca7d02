// Maximum pooling behind a window, Pe channels of Simd taps a cycle.
//
// Formula: y[c] = the largest of Simd * Rounds values x[k, c].
// Timing contract, per vector: Rounds * Groups reads of in0, tap by tap; those of the last round also
// write out0 and alone wait for space. Data come L = 1 + ceil(ceil(log2 Simd) / 2) cycles after issue.
// in0_ready_o and out0_issue_o depend on in0_valid_i and out0_space_i of the same cycle.
// Memory: see tap_reduction.sv.
// Kinds of a value: 0 unsigned, 1 and 3 two's complement, 2 bipolar (1 is +1, 0 is -1).
// Python twin: codesign/blocks/max_pool.py, codesign/blocks/pool.py.
module max_pool #(
    parameter int Pe = 2,
    // Taps a beat; with more than one all channels are in it.
    parameter int Simd = 1,
    // Taps / Simd.
    parameter int Rounds = 4,
    // Channels / Pe.
    parameter int Groups = 2,
    parameter int Bits = 4,
    parameter int Kind = 1,
    // Where the results so far lie: see state_ram.sv.
    parameter int StateStyle = 0
) (
    input  logic                    clk_i,
    input  logic                    rst_i,
    input  logic                    in0_valid_i,
    output logic                    in0_ready_o,
    input  logic [Simd*Pe*Bits-1:0] in0_data_i,
    input  logic                    out0_space_i,
    output logic                    out0_issue_o,
    output logic                    out0_valid_o,
    output logic [     Pe*Bits-1:0] out0_data_o
);
  localparam bit Signed = Kind == 1 || Kind == 3;

  logic [Pe*Bits-1:0] largest;
  for (genvar p = 0; p < Pe; p++) begin : gen_lane
    logic [Simd*Bits-1:0] taps;
    for (genvar s = 0; s < Simd; s++) begin : gen_tap
      assign taps[s*Bits+:Bits] = in0_data_i[(s*Pe+p)*Bits+:Bits];
    end
    max_tree #(
        .Lanes (Simd),
        .Bits  (Bits),
        .Signed(Signed ? 1 : 0)
    ) u_tree (
        .clk_i,
        .data_i(taps),
        .max_o (largest[p*Bits+:Bits])
    );
  end
  tap_reduction #(
      .Pe       (Pe),
      .Rounds   (Rounds),
      .Groups   (Groups),
      .Bits     (Bits),
      .Latency  (($clog2(Simd) + 1) / 2),
      .Signed   (Signed ? 1 : 0),
      .Maximum  (1),
      .Style    (StateStyle)
  ) u_reduction (
      .clk_i,
      .rst_i,
      .in0_valid_i,
      .in0_ready_o,
      .out0_space_i,
      .out0_issue_o,
      .value_i (largest),
      .valid_o (out0_valid_o),
      .result_o(out0_data_o)
  );
endmodule
