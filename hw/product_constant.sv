// The product of a value and a constant, as shifts and adders: no tool makes a DSP of it.
//
// Formula: product_o = a_i * Factor modulo 2**Bits, an adder for each non-zero digit of Factor but the first.
// Digits are -1, 0, +1, no two neighbours other than 0, which is the fewest there can be (G. W. Reitwiesner,
// "Binary arithmetic", Advances in Computers 1, 1960): those of x are the bits of 3x less those of x, halved.
// Timing contract: combinational.
// Python twin: codesign/blocks/multipliers.py (constant_adders).
module product_constant #(
    parameter int Bits = 8,
    parameter int Factor = 3
) (
    input  logic [Bits-1:0] a_i,
    output logic [Bits-1:0] product_o
);
  if (Bits < 1) begin : gen_check
    $fatal(1, "product_constant: Bits must be at least 1, not %0d (Factor %0d)", Bits, Factor);
  end

  // Three times the largest Factor has two bits more than an int.
  localparam int Wide = 34;
  localparam logic signed [Wide-1:0] Value = Wide'(Factor);
  localparam logic [Wide-1:0] Once = Factor < 0 ? -Value : Value;
  localparam logic [Wide-1:0] Thrice = Once + (Once << 1);
  localparam logic [Wide-1:0] Plus = (Thrice & ~Once) >> 1;
  localparam logic [Wide-1:0] Minus = (Once & ~Thrice) >> 1;

  always_comb begin
    product_o = '0;
    for (int k = Wide - 1; k >= 0; k--) begin
      if (Factor < 0 ? Minus[k] : Plus[k]) product_o = product_o + (a_i << k);
      if (Factor < 0 ? Plus[k] : Minus[k]) product_o = product_o - (a_i << k);
    end
  end
endmodule
