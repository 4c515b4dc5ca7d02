// The product of two integers as a sum of masked rows: no tool makes a DSP of it.
//
// Formula: product_o = a_i * b_i modulo 2**Bits. The bits of weight -2**n of two's complement are
// added as their inverse, and all that this adds too much is one constant (C. R. Baugh and
// B. A. Wooley, "A two's complement parallel array multiplication algorithm", IEEE Trans. Comput.
// C-22, 1973), so that no row extends its sign.
// Timing contract: combinational.
// Python twin: codesign/blocks/multipliers.py.
module product_lut #(
    parameter int ABits = 4,
    // 0: unsigned, 1: two's complement.
    parameter int ASigned = 0,
    parameter int BBits = 4,
    parameter int BSigned = 1,
    parameter int Bits = 8
) (
    input  logic [ABits-1:0] a_i,
    input  logic [BBits-1:0] b_i,
    output logic [ Bits-1:0] product_o
);
  if (ABits < 2 || BBits < 2) begin : gen_check
    $fatal(1, "product_lut: ABits and BBits must be at least 2, not %0d and %0d", ABits, BBits);
  end

  localparam int APlain = ABits - (ASigned == 1 ? 1 : 0);
  localparam int BPlain = BBits - (BSigned == 1 ? 1 : 0);
  localparam logic [Bits-1:0] One = Bits'(1);
  // The inverted sign bit of each plain row, and the inverted plain bits of the sign row.
  localparam logic [Bits-1:0] OfA = ASigned == 1 ? ((One << BPlain) - One) << (ABits - 1) : '0;
  localparam logic [Bits-1:0] OfB = BSigned == 1 ? ((One << APlain) - One) << (BBits - 1) : '0;

  localparam logic [ABits-1:0] SignOfA = {ASigned == 1, {ABits - 1{1'b0}}};

  logic [ABits-1:0] row;
  always_comb begin
    product_o = -(OfA + OfB);
    for (int j = 0; j < BBits; j++) begin
      row = (a_i & {ABits{b_i[j]}}) ^ (j == BPlain ? ~SignOfA : SignOfA);
      product_o = product_o + (Bits'(row) << j);
    end
  end
endmodule
