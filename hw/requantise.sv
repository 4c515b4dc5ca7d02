// Requantisation: a quantiser as multiply, add, shift and clip, Pe channels a cycle.
//
// Formula: y = clip((x * M[channel] + B[channel]) >> Shift, Low, High), with an arithmetic shift; with
// TiesEven, a sum that is a multiple of 2^Shift gives the even number not above: its lowest bit is 0.
// Timing contract: every event reads in0 and writes out0; data come L = 3 cycles after issue (read M
// and B, multiply, add with shift and clip). in0_ready_o and out0_issue_o depend on in0_valid_i and
// out0_space_i of the same cycle.
// Memory: word g of MultiplierFile and of BiasFile holds the constants of channels g*Pe .. g*Pe+Pe-1,
// the first in the least significant bits; a memory of one word serves all groups. Where one M serves all
// channels, Factor tells it, and the product is made of shifts and adds.
// Kinds of x and M: see product.sv.
// Python twin: codesign/blocks/requantise.py.
module requantise #(
    parameter int Pe = 2,
    // Words of the two memories: 1, or channels / Pe.
    parameter int MultiplierWords = 2,
    parameter int BiasWords = 2,
    parameter int InBits = 10,
    parameter int InKind = 1,
    parameter int MultiplierBits = 7,
    parameter int MultiplierKind = 0,
    parameter int ProductBits = 17,
    parameter int BiasBits = 12,
    parameter int BiasKind = 1,
    parameter int Shift = 11,
    // 1: half a level in B rounds half to even; 0: half up.
    parameter int TiesEven = 0,
    parameter int OutBits = 4,
    parameter int Low = -8,
    parameter int High = 7,
    // 1: multiplications go into DSPs.
    parameter int Dsp = 0,
    // M of all channels; 0: as MultiplierFile says.
    parameter int Factor = 0,
    // 0: LUTs, 1: block RAM.
    parameter int Style = 0,
    parameter MultiplierFile = "",
    parameter BiasFile = ""
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
  localparam int Groups = MultiplierWords > BiasWords ? MultiplierWords : BiasWords;
  if ((MultiplierWords != 1 && MultiplierWords != Groups) ||
      (BiasWords != 1 && BiasWords != Groups)) begin : gen_check_words
    $fatal(1, "requantise: MultiplierWords and BiasWords must be 1 or equal, not %0d and %0d",
           MultiplierWords, BiasWords);
  end
  if (Low > High) begin : gen_check_range
    $fatal(1, "requantise: Low must be at most High, not %0d and %0d", Low, High);
  end

  if (TiesEven != 0 && Shift < 1) begin : gen_check_ties
    $fatal(1, "requantise: TiesEven needs Shift of 1 or more, not %0d", Shift);
  end

  localparam int GroupBits = Groups > 1 ? $clog2(Groups) : 1;
  localparam int MultiplierAddrBits = MultiplierWords > 1 ? GroupBits : 1;
  localparam int BiasAddrBits = BiasWords > 1 ? GroupBits : 1;
  // The sum, wide enough for both terms and for the bounds of the result.
  localparam int Terms = ProductBits > BiasBits ? ProductBits : BiasBits;
  localparam int Wide = (Terms > OutBits + Shift ? Terms : OutBits + Shift) + 2;
  localparam bit SignedProduct = InKind != 0 || MultiplierKind != 0;

  logic step;
  logic [GroupBits-1:0] group_q;
  assign step = in0_valid_i && out0_space_i;
  assign in0_ready_o = step;
  assign out0_issue_o = step;
  always_ff @(posedge clk_i) begin
    if (rst_i) group_q <= '0;
    else if (step) group_q <= group_q == GroupBits'(Groups - 1) ? '0 : group_q + 1'b1;
  end
  delay #(
      .Cycles(3),
      .Reset (1)
  ) u_valid (
      .clk_i,
      .rst_i,
      .data_i(step),
      .data_o(out0_valid_o)
  );

  // Stage 1: constants and operand.
  logic [Pe*MultiplierBits-1:0] multipliers;
  logic [Pe*BiasBits-1:0] biases, biases_q;
  logic [Pe*InBits-1:0] x_q;
  rom #(
      .Width   (Pe * MultiplierBits),
      .Depth   (MultiplierWords),
      .Style   (Style),
      .InitFile(MultiplierFile)
  ) u_multipliers (
      .clk_i,
      .addr_i(MultiplierWords > 1 ? MultiplierAddrBits'(group_q) : '0),
      .data_o(multipliers)
  );
  rom #(
      .Width   (Pe * BiasBits),
      .Depth   (BiasWords),
      .Style   (Style),
      .InitFile(BiasFile)
  ) u_biases (
      .clk_i,
      .addr_i(BiasWords > 1 ? BiasAddrBits'(group_q) : '0),
      .data_o(biases)
  );
  always_ff @(posedge clk_i) begin
    x_q <= in0_data_i;
    biases_q <= biases;
  end

  for (genvar p = 0; p < Pe; p++) begin : gen_lane
    // Stage 2: the product.
    logic [ProductBits-1:0] product;
    if (Factor != 0 && Dsp == 0) begin : gen_constant
      scaled #(
          .InBits (InBits),
          .InKind (InKind),
          .Scale  (Factor),
          .OutBits(ProductBits),
          .Cycles (1)
      ) u_product (
          .clk_i,
          .data_i(x_q[p*InBits+:InBits]),
          .data_o(product)
      );
      logic unused;
      assign unused = ^multipliers[p*MultiplierBits+:MultiplierBits];
    end else begin : gen_product
      product #(
          .ABits (InBits),
          .AKind (InKind),
          .BBits (MultiplierBits),
          .BKind (MultiplierKind),
          .Bits  (ProductBits),
          .Stages(1),
          .Dsp   (Dsp)
      ) u_product (
          .clk_i,
          .rst_i,
          .a_i(x_q[p*InBits+:InBits]),
          .b_i(multipliers[p*MultiplierBits+:MultiplierBits]),
          .product_o(product)
      );
    end

    // Stage 3: add, shift, clip.
    logic signed [Wide-1:0] scaled, bias, sum, whole, shifted;
    logic [OutBits-1:0] result_q;
    if (SignedProduct) begin : gen_signed_product
      assign scaled = Wide'($signed(product));
    end else begin : gen_unsigned_product
      assign scaled = Wide'(product);
    end
    if (BiasKind != 0) begin : gen_signed_bias
      assign bias = Wide'($signed(biases_q[p*BiasBits+:BiasBits]));
    end else begin : gen_unsigned_bias
      assign bias = Wide'(biases_q[p*BiasBits+:BiasBits]);
    end
    assign sum = scaled + bias;
    assign whole = sum >>> Shift;
    if (TiesEven != 0) begin : gen_ties_even
      logic tie;
      assign tie = sum[Shift-1:0] == '0;
      assign shifted = {whole[Wide-1:1], whole[0] && !tie};
    end else begin : gen_ties_up
      assign shifted = whole;
    end
    always_ff @(posedge clk_i) begin
      if (shifted < Wide'(Low)) result_q <= OutBits'(Low);
      else if (shifted > Wide'(High)) result_q <= OutBits'(High);
      else result_q <= shifted[OutBits-1:0];
    end
    assign out0_data_o[p*OutBits+:OutBits] = result_q;
  end
endmodule
