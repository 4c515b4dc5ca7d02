// Depthwise unit without the memory of its weights: each channel is filtered by itself, behind a
// window, Pe channels of Simd taps a cycle. depthwise.sv is this with a ROM; a RAM that is loaded
// (large_ram.sv) or a stream can take its place.
//
// Formula: y[c] = sum over k of W[c, k] * x[k, c], modulo 2**AccBits (the caller chooses enough bits).
// Timing contract, per vector: Rounds * Groups reads of in0, tap by tap; those of the last round also
// write out0 and alone wait for space. Data come L = 2 + ProductStages + ceil(ceil(log2 Simd) / 2) cycles
// after issue. in0_ready_o and out0_issue_o depend on in0_valid_i and out0_space_i of the same cycle.
// weight_data_i in cycle t + 1 must be the word at weight_addr_o of cycle t.
// Memory: word r*Groups + g holds W[g*Pe + p, r*Simd + s] at bit (s*Pe + p)*WeightBits; the accumulators
// of all groups lie in a small RAM. Kinds of a factor: see product.sv.
// Python twin: codesign/blocks/depthwise.py.
module depthwise_core #(
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
    localparam int Words = Rounds * Groups,
    localparam int WordBits = Words > 1 ? $clog2(Words) : 1
) (
    input  logic                          clk_i,
    input  logic                          rst_i,
    output logic [          WordBits-1:0] weight_addr_o,
    input  logic [Simd*Pe*WeightBits-1:0] weight_data_i,
    input  logic                          in0_valid_i,
    output logic                          in0_ready_o,
    input  logic [    Simd*Pe*InBits-1:0] in0_data_i,
    input  logic                          out0_space_i,
    output logic                          out0_issue_o,
    output logic                          out0_valid_o,
    output logic [        Pe*AccBits-1:0] out0_data_o
);
  localparam int ProductSigned = InKind != 0 || WeightKind != 0 ? 1 : 0;
  localparam int SumBits = ProductBits + $clog2(Simd);
  localparam int TreeStages = ($clog2(Simd) + 1) / 2;

  // Stage 1: weights and operand.
  logic [WordBits-1:0] word_q;
  logic [Simd*Pe*InBits-1:0] operand_q;
  always_ff @(posedge clk_i) begin
    if (rst_i) word_q <= '0;
    else if (in0_ready_o) word_q <= word_q == WordBits'(Words - 1) ? '0 : word_q + 1'b1;
  end
  always_ff @(posedge clk_i) operand_q <= in0_data_i;
  assign weight_addr_o = word_q;

  // Products and their sum, then the accumulator.
  logic [Pe*SumBits-1:0] sums;
  for (genvar p = 0; p < Pe; p++) begin : gen_lane
    logic [Simd*ProductBits-1:0] products;
    for (genvar s = 0; s < Simd; s++) begin : gen_tap
      product #(
          .ABits (InBits),
          .AKind (InKind),
          .BBits (WeightBits),
          .BKind (WeightKind),
          .Bits  (ProductBits),
          .Stages(ProductStages),
          .Dsp   (Dsp)
      ) u_product (
          .clk_i,
          .rst_i,
          .a_i(operand_q[(s*Pe+p)*InBits+:InBits]),
          .b_i(weight_data_i[(s*Pe+p)*WeightBits+:WeightBits]),
          .product_o(products[s*ProductBits+:ProductBits])
      );
    end
    adder_tree #(
        .Lanes (Simd),
        .Bits  (ProductBits),
        .Signed(ProductSigned)
    ) u_tree (
        .clk_i,
        .data_i(products),
        .sum_o (sums[p*SumBits+:SumBits])
    );
  end
  tap_reduction #(
      .Pe       (Pe),
      .Rounds   (Rounds),
      .Groups   (Groups),
      .Bits     (AccBits),
      .ValueBits(SumBits),
      .Signed   (ProductSigned),
      .Style    (StateStyle),
      .Latency  (1 + ProductStages + TreeStages)
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
