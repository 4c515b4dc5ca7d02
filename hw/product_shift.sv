// The product of an integer and 0 or a power of two with a sign: a shift and a negation.
//
// Formula: b_i is {sign, e}; product_o = 0 for e = 0, otherwise (sign ? -1 : 1) * a_i * 2**(e - 1).
// Bits holds every product that occurs; exponents with which it would not are taken for 0.
// Timing contract: combinational.
// Python twin: codesign/blocks/multipliers.py.
module product_shift #(
    parameter int ABits = 4,
    // Kinds as in product.sv, 0 to 3.
    parameter int AKind = 0,
    // The sign and the code of the exponent.
    parameter int BBits = 3,
    parameter int Bits = 7
) (
    input  logic [ABits-1:0] a_i,
    input  logic [BBits-1:0] b_i,
    output logic [ Bits-1:0] product_o
);
  if (BBits < 2 || BBits > 6) begin : gen_check
    $fatal(1, "product_shift: BBits must be 2 to 6, not %0d (ABits %0d)", BBits, ABits);
  end

  // What a_i and -a_i need as two's complement at least: just ABits where the most negative value does not
  // occur (narrow types, ternary).
  localparam int LeastBits = ABits + (AKind == 0 || AKind == 2 ? 1 : 0);

  logic [BBits-2:0] code;
  logic negate;
  logic [Bits-1:0] a, shifted;
  assign {negate, code} = b_i;
  extend #(
      .InBits (ABits),
      .InKind (AKind),
      .OutBits(Bits)
  ) u_a (
      .data_i(a_i),
      .data_o(a)
  );
  always_comb begin
    shifted = '0;
    for (int c = 1; c < 1 << (BBits - 1); c++) begin
      // No product of the two types is wider than Bits: codes beyond do not occur.
      if (c - 1 + LeastBits <= Bits && code == (BBits - 1)'(c)) shifted = a << (c - 1);
    end
  end
  assign product_o = (shifted ^ {Bits{negate}}) + Bits'(negate);
endmodule
