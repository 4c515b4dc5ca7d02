// Matrix-vector unit: y = W x for one vector after another, Simd columns and Pe rows a cycle.
//
// Formula: row g*Pe + p of y is the sum over columns of W[row, column] * x[column], modulo
// 2**AccBits (the caller chooses AccBits so that every y fits).
// Single-bit factors of one kind are counted: XNOR (bipolar, y = 2 * ones - columns) or AND.
//
// Timing contract, per vector: Beats reads of in0, the last of which also writes out0; then
// Groups - 1 writes, each at least Beats cycles behind the one before. Only beats that end a group
// wait for space. Data come L = 2 + ProductStages + ceil(ceil(log2 Simd) / 2) cycles after issue.
// in0_ready_o and out0_issue_o depend on in0_valid_i and out0_space_i of the same cycle.
// Memory: word g*Beats + b of WeightFile holds W[g*Pe + p, b*Simd + s] at bit
// (p*Simd + s)*WeightBits. Kinds of a factor: see product.sv.
// Python twin: codesign/blocks/mvu.py.
module mvu #(
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
    // 0: LUTs, 1: block RAM; for the weights and for the buffer that replays the vector.
    parameter int WeightStyle = 0,
    parameter int BufferStyle = 0,
    parameter WeightFile = ""
) (
    input  logic                   clk_i,
    input  logic                   rst_i,
    input  logic                   in0_valid_i,
    output logic                   in0_ready_o,
    input  logic [Simd*InBits-1:0] in0_data_i,
    input  logic                   out0_space_i,
    output logic                   out0_issue_o,
    output logic                   out0_valid_o,
    output logic [ Pe*AccBits-1:0] out0_data_o
);
  localparam int Words = Beats * Groups;
  localparam int WordBits = Words > 1 ? $clog2(Words) : 1;

  logic [WordBits-1:0] weight_addr;
  logic [Pe*Simd*WeightBits-1:0] weight_data;
  rom #(
      .Width   (Pe * Simd * WeightBits),
      .Depth   (Words),
      .Style   (WeightStyle),
      .InitFile(WeightFile)
  ) u_weights (
      .clk_i,
      .addr_i(weight_addr),
      .data_o(weight_data)
  );
  mvu_core #(
      .Simd         (Simd),
      .Pe           (Pe),
      .Beats        (Beats),
      .Groups       (Groups),
      .InBits       (InBits),
      .InKind       (InKind),
      .WeightBits   (WeightBits),
      .WeightKind   (WeightKind),
      .ProductBits  (ProductBits),
      .AccBits      (AccBits),
      .ProductStages(ProductStages),
      .Dsp          (Dsp),
      .PackedBits   (PackedBits),
      .BufferStyle  (BufferStyle)
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
