// Two products with a common factor in one DSP.
//
// Formula: low_o = a_i * low_i and high_o = a_i * high_i, both in Bits bits, from one multiplication:
// a * (high * 2**Bits + low) = (a * high) * 2**Bits + a * low. A negative low product borrows 1 from
// the high one; adding 2**(Bits - 1), which a DSP does behind its multiplication, moves the low
// product into 0 to 2**Bits - 1, so that nothing is borrowed and only its top bit is inverted. The sum
// of the factors is what a DSP's adder before the multiplication does. (The packing is that of AMD
// WP486, "Deep Learning with INT8 Optimization on Xilinx Devices".)
// Timing contract: low_o and high_o in cycle t + 2 are of the factors of cycle t.
// Python twin: codesign/blocks/multipliers.py.
module product_pair #(
    // Kinds as in product.sv, 0 or 1.
    parameter int ABits = 4,
    parameter int AKind = 0,
    parameter int BBits = 4,
    parameter int BKind = 1,
    // Enough for every single product.
    parameter int Bits = 8,
    // Enough for high * 2**Bits + low in two's complement.
    parameter int PackedBits = 13
) (
    input  logic             clk_i,
    input  logic [ABits-1:0] a_i,
    input  logic [BBits-1:0] low_i,
    input  logic [BBits-1:0] high_i,
    output logic [ Bits-1:0] low_o,
    output logic [ Bits-1:0] high_o
);
  if (AKind < 0 || AKind > 1 || BKind < 0 || BKind > 1) begin : gen_check_kind
    $fatal(1, "product_pair: AKind and BKind must be 0 or 1, not %0d and %0d", AKind, BKind);
  end
  if (PackedBits <= Bits || PackedBits > BBits + Bits + 1) begin : gen_check_bits
    $fatal(1, "product_pair: PackedBits must be over Bits (%0d) and at most %0d, not %0d", Bits,
           BBits + Bits + 1, PackedBits);
  end

  localparam int AWide = ABits + (AKind == 0 ? 1 : 0);
  localparam int Wide = 2 * Bits;
  localparam bit Borrows = AKind == 1 || BKind == 1;
  localparam logic signed [Wide-1:0] Half = Borrows ? Wide'(1) << (Bits - 1) : '0;

  logic [AWide-1:0] a;
  logic [PackedBits-1:0] low, high;
  extend #(
      .InBits (ABits),
      .InKind (AKind),
      .OutBits(AWide)
  ) u_a (
      .data_i(a_i),
      .data_o(a)
  );
  extend #(
      .InBits (BBits),
      .InKind (BKind),
      .OutBits(PackedBits)
  ) u_low (
      .data_i(low_i),
      .data_o(low)
  );
  extend #(
      .InBits (BBits),
      .InKind (BKind),
      .OutBits(PackedBits)
  ) u_high (
      .data_i(high_i),
      .data_o(high)
  );

  logic signed [PackedBits-1:0] packed_q;
  logic signed [AWide-1:0] a_q;
  (* use_dsp = "yes" *) logic signed [Wide-1:0] both_q;
  always_ff @(posedge clk_i) begin
    packed_q <= (high << Bits) + low;
    a_q <= a;
    both_q <= Wide'(packed_q) * Wide'(a_q) + Half;
  end
  assign high_o = both_q[Wide-1:Bits];
  assign low_o  = {both_q[Bits-1] ^ Borrows, both_q[Bits-2:0]};
endmodule
