// Depthwise unit: each channel is filtered by itself, behind a window, Pe channels of Simd taps a
// cycle.
//
// Formula: y[c] = sum over k of W[c, k] * x[k, c], modulo 2**AccBits (the caller chooses enough bits).
// Timing contract, per vector: Rounds * Groups reads of in0, tap by tap; those of the last round also
// write out0 and alone wait for space. Data come L = 2 + ProductStages + ceil(ceil(log2 Simd) / 2) cycles
// after issue. in0_ready_o and out0_issue_o depend on in0_valid_i and out0_space_i of the same cycle.
// Memory: word r*Groups + g of WeightFile holds W[g*Pe + p, r*Simd + s] at bit (s*Pe + p)*WeightBits; the
// accumulators of all groups lie in a small RAM. Kinds of a factor: see product.sv.
// Python twin: codesign/blocks/depthwise.py.
module depthwise #(
    parameter int Pe = 2,
    // Taps a beat; with more than one all channels are in it.
    parameter int Simd = 1,
    // Taps / Simd.
    parameter int Rounds = 9,
    // Channels / Pe.
    parameter int Groups = 2,
    parameter int InBits = 4,
    parameter int InKind = 0,
    parameter int WeightBits = 4,
    parameter int WeightKind = 1,
    parameter int ProductBits = 8,
    parameter int AccBits = 12,
    // Registers of the products: 0 for selections, 1 for LUTs, 2 for DSPs.
    parameter int ProductStages = 1,
    // 1: multiplications go into DSPs.
    parameter int Dsp = 0,
    // Where the accumulators lie: see state_ram.sv.
    parameter int StateStyle = 0,
    // 0: LUTs, 1: block RAM.
    parameter int WeightStyle = 0,
    parameter WeightFile = ""
) (
    input  logic                      clk_i,
    input  logic                      rst_i,
    input  logic                      in0_valid_i,
    output logic                      in0_ready_o,
    input  logic [Simd*Pe*InBits-1:0] in0_data_i,
    input  logic                      out0_space_i,
    output logic                      out0_issue_o,
    output logic                      out0_valid_o,
    output logic [    Pe*AccBits-1:0] out0_data_o
);
  localparam int Words = Rounds * Groups;
  localparam int WordBits = Words > 1 ? $clog2(Words) : 1;

  logic [WordBits-1:0] weight_addr;
  logic [Simd*Pe*WeightBits-1:0] weight_data;
  rom #(
      .Width   (Simd * Pe * WeightBits),
      .Depth   (Words),
      .Style   (WeightStyle),
      .InitFile(WeightFile)
  ) u_weights (
      .clk_i,
      .addr_i(weight_addr),
      .data_o(weight_data)
  );
  depthwise_core #(
      .Pe           (Pe),
      .Simd         (Simd),
      .Rounds       (Rounds),
      .Groups       (Groups),
      .InBits       (InBits),
      .InKind       (InKind),
      .WeightBits   (WeightBits),
      .WeightKind   (WeightKind),
      .ProductBits  (ProductBits),
      .AccBits      (AccBits),
      .ProductStages(ProductStages),
      .Dsp          (Dsp),
      .StateStyle   (StateStyle)
  ) u_core (
      .clk_i,
      .rst_i,
      .weight_addr_o(weight_addr),
      .weight_data_i(weight_data),
      .in0_valid_i,
      .in0_ready_o,
      .in0_data_i,
      .out0_space_i,
      .out0_issue_o,
      .out0_valid_o,
      .out0_data_o
  );
endmodule
