// The product of an integer and a factor that is -1, 0, +1 or one bit.
//
// Formula: product_o = a_i * b_i modulo 2**Bits; kinds of a factor as in product.sv, 0 to 3.
// Timing contract: combinational.
// Python twin: codesign/blocks/multipliers.py.
module product_select #(
    parameter int ABits = 4,
    parameter int AKind = 0,
    // The factor that selects: bipolar, ternary, or one unsigned bit.
    parameter int BBits = 2,
    parameter int BKind = 3,
    parameter int Bits = 5
) (
    input  logic [ABits-1:0] a_i,
    input  logic [BBits-1:0] b_i,
    output logic [ Bits-1:0] product_o
);
  if (!(BKind == 2 || BKind == 3 || BBits == 1) || BBits > 2) begin : gen_check
    $fatal(1, "product_select: b_i must be bipolar, ternary or one bit, not kind %0d of %0d bits",
           BKind, BBits);
  end

  logic [Bits-1:0] passed;
  logic negate, pass;
  extend #(
      .InBits (ABits),
      .InKind (AKind),
      .OutBits(Bits)
  ) u_a (
      .data_i(a_i),
      .data_o(passed)
  );
  // As two's complement of two bits: its sign negates, its low bit passes.
  assign negate = BKind == 2 ? !b_i[0] : BKind != 0 && b_i[BBits-1];
  assign pass   = BKind == 2 || b_i[0];
  assign product_o = pass ? (negate ? -passed : passed) : '0;
endmodule
