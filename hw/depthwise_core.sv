// Depthwise unit without the memory of its weights: each channel is filtered by itself, behind a
// window, Pe channels a cycle. depthwise.sv is this with a ROM; a RAM that is loaded (large_ram.sv) or
// a stream can take its place.
//
// Formula: y[c] = sum over k of W[c, k] * x[k, c], modulo 2**AccBits (the caller chooses enough bits).
// Timing contract, per vector: Taps * Groups reads of in0, tap by tap; those of the last tap also write
// out0 and alone wait for space. Data come L = 2 + ProductStages cycles after issue. in0_ready_o and
// out0_issue_o depend on in0_valid_i and out0_space_i of the same cycle.
// weight_data_i in cycle t + 1 must be the word at weight_addr_o of cycle t.
// Memory: word k*Groups + g holds W[g*Pe + p, k] at bit p*WeightBits; the accumulators of all groups lie
// in a small RAM. Kinds of a factor: see product.sv.
// Python twin: codesign/blocks/depthwise.py.
module depthwise_core #(
    parameter int Pe = 2,
    parameter int Taps = 9,
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
    localparam int Words = Taps * Groups,
    localparam int WordBits = Words > 1 ? $clog2(Words) : 1
) (
    input  logic                     clk_i,
    input  logic                     rst_i,
    output logic [     WordBits-1:0] weight_addr_o,
    input  logic [Pe*WeightBits-1:0] weight_data_i,
    input  logic                     in0_valid_i,
    output logic                     in0_ready_o,
    input  logic [    Pe*InBits-1:0] in0_data_i,
    input  logic                     out0_space_i,
    output logic                     out0_issue_o,
    output logic                     out0_valid_o,
    output logic [   Pe*AccBits-1:0] out0_data_o
);
  localparam int GroupBits = Groups > 1 ? $clog2(Groups) : 1;
  localparam int ProductKind = InKind != 0 || WeightKind != 0 ? 1 : 0;

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

  // Stage 1: weights and operand.
  logic [WordBits-1:0] word_q;
  logic [Pe*InBits-1:0] operand_q;
  always_ff @(posedge clk_i) begin
    if (rst_i) word_q <= '0;
    else if (step) word_q <= word_q == WordBits'(Words - 1) ? '0 : word_q + 1'b1;
  end
  always_ff @(posedge clk_i) operand_q <= in0_data_i;
  assign weight_addr_o = word_q;

  logic step_sum, first_sum;
  logic [GroupBits-1:0] group_sum;
  delay #(
      .Cycles(1 + ProductStages),
      .Reset (1)
  ) u_step (
      .clk_i,
      .rst_i,
      .data_i(step),
      .data_o(step_sum)
  );
  delay #(
      .Width (1 + GroupBits),
      .Cycles(1 + ProductStages)
  ) u_place (
      .clk_i,
      .rst_i (1'b0),
      .data_i({first, group}),
      .data_o({first_sum, group_sum})
  );
  delay #(
      .Cycles(2 + ProductStages),
      .Reset (1)
  ) u_valid (
      .clk_i,
      .rst_i,
      .data_i(out0_issue_o),
      .data_o(out0_valid_o)
  );

  // Products, then the accumulator.
  logic [Pe*AccBits-1:0] so_far, sums, result_q;
  state_ram #(
      .Width(Pe * AccBits),
      .Depth(Groups)
  ) u_sums (
      .clk_i,
      .write_i(step_sum),
      .addr_i (group_sum),
      .data_i (sums),
      .data_o (so_far)
  );
  for (genvar p = 0; p < Pe; p++) begin : gen_lane
    logic [ProductBits-1:0] product;
    logic [AccBits-1:0] term;
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
        .a_i(operand_q[p*InBits+:InBits]),
        .b_i(weight_data_i[p*WeightBits+:WeightBits]),
        .product_o(product)
    );
    extend #(
        .InBits (ProductBits),
        .InKind (ProductKind),
        .OutBits(AccBits)
    ) u_term (
        .data_i(product),
        .data_o(term)
    );
    assign sums[p*AccBits+:AccBits] = (first_sum ? '0 : so_far[p*AccBits+:AccBits]) + term;
  end
  always_ff @(posedge clk_i) result_q <= sums;
  assign out0_data_o = result_q;
endmodule
