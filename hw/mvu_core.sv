// Matrix-vector unit without the memory of its weights: y = W x for one vector after another, Simd
// columns and Pe rows a cycle. mvu.sv is this with a ROM; a RAM that is loaded (large_ram.sv) or a
// stream can take its place.
//
// Formula: row g*Pe + p of y is the sum over columns of W[row, column] * x[column], modulo
// 2**AccBits (the caller chooses AccBits so that every y fits).
// Single-bit factors of one kind are counted: XNOR (bipolar, y = 2 * ones - columns) or AND.
//
// Timing contract, per vector: Beats reads of in0, the last of which also writes out0; then
// Groups - 1 writes, each at least Beats cycles behind the one before. Only beats that end a group
// wait for space. Data come L = 2 + ProductStages + ceil(ceil(log2 Simd) / 2) cycles after issue.
// in0_ready_o and out0_issue_o depend on in0_valid_i and out0_space_i of the same cycle.
// weight_data_i in cycle t + 1 must be the word at weight_addr_o of cycle t.
// Memory: word g*Beats + b holds W[g*Pe + p, b*Simd + s] at bit (p*Simd + s)*WeightBits. Kinds of a
// factor: see product.sv.
// Python twin: codesign/blocks/mvu.py.
module mvu_core #(
    parameter int Simd = 2,
    parameter int Pe = 2,
    // Columns / Simd.
    parameter int Beats = 3,
    // Rows / Pe.
    parameter int Groups = 2,
    parameter int InBits = 4,
    parameter int InKind = 0,
    parameter int WeightBits = 4,
    parameter int WeightKind = 1,
    parameter int ProductBits = 8,
    parameter int AccBits = 11,
    // Registers of the products: 0 for selections, 1 for LUTs, 2 for DSPs.
    parameter int ProductStages = 1,
    // 1: multiplications go into DSPs.
    parameter int Dsp = 0,
    // Not 0: the products of two neighbouring rows share a DSP; bits of their two weights, packed
    // (product_pair.sv). An odd last row has its own.
    parameter int PackedBits = 0,
    // The buffer that replays the vector: 0 LUTs, 1 block RAM.
    parameter int BufferStyle = 0,
    localparam int Words = Beats * Groups,
    localparam int WordBits = Words > 1 ? $clog2(Words) : 1
) (
    input  logic                          clk_i,
    input  logic                          rst_i,
    output logic [          WordBits-1:0] weight_addr_o,
    input  logic [Pe*Simd*WeightBits-1:0] weight_data_i,
    input  logic                          in0_valid_i,
    output logic                          in0_ready_o,
    input  logic [       Simd*InBits-1:0] in0_data_i,
    input  logic                          out0_space_i,
    output logic                          out0_issue_o,
    output logic                          out0_valid_o,
    output logic [        Pe*AccBits-1:0] out0_data_o
);
  if (Simd < 1 || Pe < 1 || Beats < 1 || Groups < 1) begin : gen_check_fold
    $fatal(1, "mvu_core: Simd, Pe, Beats, Groups must be >= 1, not %0d, %0d, %0d, %0d", Simd, Pe,
           Beats, Groups);
  end
  if (PackedBits > 0 && (Dsp != 1 || ProductStages != 2)) begin : gen_check_pairs
    $fatal(1, "mvu_core: PackedBits needs Dsp = 1 and ProductStages = 2, not %0d and %0d", Dsp,
           ProductStages);
  end

  localparam int BeatBits = Beats > 1 ? $clog2(Beats) : 1;
  localparam int GroupBits = Groups > 1 ? $clog2(Groups) : 1;
  localparam bit CountsOnes = InBits == 1 && WeightBits == 1 && InKind == WeightKind;
  localparam bit Bipolar = CountsOnes && InKind == 2;
  localparam bit Signed = InKind != 0 || WeightKind != 0;
  localparam int Pairs = PackedBits > 0 ? Pe / 2 : 0;
  localparam int TreeBits = CountsOnes ? 1 : ProductBits;
  localparam int Levels = $clog2(Simd);
  localparam int TreeStages = (Levels + 1) / 2;
  localparam int SumBits = TreeBits + Levels;

  // Sequencer: a step takes one beat of the vector into the pipeline.
  logic [BeatBits-1:0] beat_q;
  logic [GroupBits-1:0] group_q;
  logic [WordBits-1:0] word_q;
  logic step, fresh, first, last;

  assign fresh = group_q == 0;
  assign first = beat_q == 0;
  assign last = beat_q == BeatBits'(Beats - 1);
  assign step = (!fresh || in0_valid_i) && (!last || out0_space_i);
  assign in0_ready_o = step && fresh;
  assign out0_issue_o = step && last;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      beat_q  <= '0;
      group_q <= '0;
      word_q  <= '0;
    end else if (step) begin
      beat_q <= last ? '0 : beat_q + 1'b1;
      if (last) group_q <= group_q == GroupBits'(Groups - 1) ? '0 : group_q + 1'b1;
      word_q <= word_q == WordBits'(Words - 1) ? '0 : word_q + 1'b1;
    end
  end

  // Stage 1: weights and operand.
  logic [Simd*InBits-1:0] operand;
  assign weight_addr_o = word_q;

  logic [Simd*InBits-1:0] operand_q;
  always_ff @(posedge clk_i) if (in0_ready_o) operand_q <= in0_data_i;
  if (Groups > 1 && Beats > 1) begin : gen_replay
    logic replays_q;
    logic [Simd*InBits-1:0] replayed;
    ram #(
        .Width(Simd * InBits),
        .Depth(Beats),
        .Style(BufferStyle)
    ) u_vector (
        .clk_i,
        .write_i(in0_ready_o),
        .waddr_i(beat_q),
        .data_i (in0_data_i),
        .raddr_i(beat_q),
        .data_o (replayed)
    );
    always_ff @(posedge clk_i) replays_q <= !fresh;
    assign operand = replays_q ? replayed : operand_q;
  end else begin : gen_direct
    // One beat a vector: its register keeps it for all groups.
    assign operand = operand_q;
  end

  // Products, adder tree and accumulator of each row.
  logic step_sum, first_sum;
  delay #(
      .Width (1),
      .Cycles(1 + ProductStages + TreeStages),
      .Reset (1)
  ) u_step (
      .clk_i,
      .rst_i,
      .data_i(step),
      .data_o(step_sum)
  );
  delay #(
      .Width (1),
      .Cycles(1 + ProductStages + TreeStages)
  ) u_first (
      .clk_i,
      .rst_i (1'b0),
      .data_i(first),
      .data_o(first_sum)
  );
  delay #(
      .Width (1),
      .Cycles(2 + ProductStages + TreeStages),
      .Reset (1)
  ) u_valid (
      .clk_i,
      .rst_i,
      .data_i(out0_issue_o),
      .data_o(out0_valid_o)
  );

  for (genvar p = 0; p < Pairs; p++) begin : gen_pair
    logic [2*Simd*ProductBits-1:0] products;
    for (genvar s = 0; s < Simd; s++) begin : gen_column
      product_pair #(
          .ABits     (InBits),
          .AKind     (InKind),
          .BBits     (WeightBits),
          .BKind     (WeightKind),
          .Bits      (ProductBits),
          .PackedBits(PackedBits)
      ) u_pair (
          .clk_i,
          .a_i(operand[s*InBits+:InBits]),
          .low_i(weight_data_i[(2*p*Simd+s)*WeightBits+:WeightBits]),
          .high_i(weight_data_i[((2*p+1)*Simd+s)*WeightBits+:WeightBits]),
          .low_o(products[s*ProductBits+:ProductBits]),
          .high_o(products[(Simd+s)*ProductBits+:ProductBits])
      );
    end
  end
  for (genvar p = 0; p < Pe; p++) begin : gen_row
    logic [Simd*TreeBits-1:0] products;
    logic [SumBits-1:0] sum;
    logic [SumBits+(Bipolar?1:0)-1:0] added;
    logic [AccBits-1:0] after, acc_q;

    if (CountsOnes) begin : gen_ones
      logic [Simd-1:0] ones;
      if (Bipolar) begin : gen_xnor
        assign ones = operand ~^ weight_data_i[p*Simd+:Simd];
      end else begin : gen_and
        assign ones = operand & weight_data_i[p*Simd+:Simd];
      end
      delay #(
          .Width (Simd),
          .Cycles(ProductStages)
      ) u_ones (
          .clk_i,
          .rst_i (1'b0),
          .data_i(ones),
          .data_o(products)
      );
    end else if (p < 2 * Pairs) begin : gen_shared
      assign products = gen_pair[p/2].products[(p%2)*Simd*ProductBits+:Simd*ProductBits];
    end else begin : gen_products
      for (genvar s = 0; s < Simd; s++) begin : gen_column
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
            .a_i(operand[s*InBits+:InBits]),
            .b_i(weight_data_i[(p*Simd+s)*WeightBits+:WeightBits]),
            .product_o(products[s*ProductBits+:ProductBits])
        );
      end
    end

    adder_tree #(
        .Lanes (Simd),
        .Bits  (TreeBits),
        .Signed(!CountsOnes && Signed ? 1 : 0)
    ) u_tree (
        .clk_i,
        .data_i(products),
        .sum_o (sum)
    );

    // A count c of ones means the sum 2c - columns: the offset is where the accumulator starts.
    running_sum #(
        .Bits     (AccBits),
        .ValueBits(SumBits + (Bipolar ? 1 : 0)),
        .Signed   (!CountsOnes && Signed ? 1 : 0),
        .Start    (Bipolar ? -Simd * Beats : 0)
    ) u_sum (
        .first_i (first_sum),
        .so_far_i(acc_q),
        .value_i (added),
        .sum_o   (after)
    );
    if (Bipolar) begin : gen_twice
      assign added = {sum, 1'b0};
    end else begin : gen_once
      assign added = sum;
    end
    always_ff @(posedge clk_i) if (step_sum) acc_q <= after;
    assign out0_data_o[p*AccBits+:AccBits] = acc_q;
  end
endmodule
