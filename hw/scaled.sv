// A value times a constant, some cycles later, in another width.
//
// Formula: data_o = data_i * Scale in OutBits bits of two's complement (the caller chooses enough of them).
// Kinds of data_i: 0 unsigned, 1 and 3 two's complement, 2 bipolar (1 is +1, 0 is -1).
// Timing contract: data_o in cycle t + Cycles is of data_i in cycle t.
// Python twin: codesign/blocks/add.py.
module scaled #(
    parameter int InBits = 4,
    parameter int InKind = 1,
    parameter int Scale = 1,
    parameter int OutBits = 8,
    parameter int Cycles = 0
) (
    input  logic               clk_i,
    input  logic [ InBits-1:0] data_i,
    output logic [OutBits-1:0] data_o
);
  // Bits of the product alone, which adders and registers have; -2**n times the least value is one more.
  localparam int Size = Scale < 0 ? -Scale : Scale;
  localparam int Turned = Scale < 0 && (Size & (Size - 1)) == 0 ? 1 : 0;
  localparam int Bits = InKind >= 2 ? 1 + $clog2(Size + 1) :
      InKind == 1 ? InBits + $clog2(Size) + Turned : InBits + $clog2(Size) + 1;

  logic [Bits-1:0] value, product, product_q;
  extend #(
      .InBits (InBits),
      .InKind (InKind),
      .OutBits(Bits)
  ) u_value (
      .data_i,
      .data_o(value)
  );
  product_constant #(
      .Bits  (Bits),
      .Factor(Scale)
  ) u_product (
      .a_i(value),
      .product_o(product)
  );
  delay #(
      .Width (Bits),
      .Cycles(Cycles)
  ) u_product_q (
      .clk_i,
      .rst_i (1'b0),
      .data_i(product),
      .data_o(product_q)
  );
  assign data_o = OutBits'($signed(product_q));
endmodule
