// The product of two integers: a selection where a factor is -1, 0, +1 or one bit, a shift where it is a
// power of two, otherwise a multiplication in LUTs or in a DSP.
//
// Formula: product_o = a_i * b_i in Bits bits of two's complement (unsigned if both factors are).
// Kinds of a factor: 0 unsigned, 1 two's complement, 2 bipolar (one bit: 1 is +1, 0 is -1),
// 3 ternary (two's complement -1, 0, +1 in two bits), 4 for b_i alone: 0 or a power of two with a sign
// (product_shift.sv).
// Timing contract: product_o in cycle t + Stages is of the factors of cycle t. Stages is 0 to 2, for a
// multiplication in a DSP 1 or 2; rst_i must be low whenever a product counts.
// Python twin: codesign/blocks/multipliers.py.
module product #(
    parameter int ABits = 4,
    parameter int AKind = 0,
    parameter int BBits = 4,
    parameter int BKind = 1,
    // Enough for every product of the two types.
    parameter int Bits = 8,
    parameter int Stages = 1,
    // 0: a multiplication is made of LUTs, 1: it goes into a DSP.
    parameter int Dsp = 0
) (
    input  logic             clk_i,
    input  logic             rst_i,
    input  logic [ABits-1:0] a_i,
    input  logic [BBits-1:0] b_i,
    output logic [ Bits-1:0] product_o
);
  if (AKind < 0 || AKind > 3 || BKind < 0 || BKind > 4) begin : gen_check_kind
    $fatal(1, "product: AKind must be 0 to 3 and BKind 0 to 4, not %0d and %0d", AKind, BKind);
  end
  if (Stages < 0 || Stages > 2) begin : gen_check_stages
    $fatal(1, "product: Stages must be 0 to 2, not %0d (Bits %0d)", Stages, Bits);
  end

  localparam bit Shifts = BKind == 4;
  localparam bit BSelects = BKind == 2 || BKind == 3 || BBits == 1;
  localparam bit ASelects = !BSelects && !Shifts && (AKind >= 2 || ABits == 1);
  localparam bit Multiplies = !BSelects && !ASelects && !Shifts;
  // Width as two's complement; a bipolar bit becomes 2 bits.
  localparam int AWide = ABits + (AKind == 0 || AKind == 2 ? 1 : 0);
  localparam int BWide = BBits + (BKind == 0 || BKind == 2 ? 1 : 0);

  if (Multiplies && Dsp == 1) begin : gen_dsp
    logic [AWide-1:0] a;
    logic [BWide-1:0] b;
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
        .OutBits(BWide)
    ) u_b (
        .data_i(b_i),
        .data_o(b)
    );
    product_dsp #(
        .ABits (AWide),
        .BBits (BWide),
        .Bits  (Bits),
        .Stages(Stages)
    ) u_product (
        .clk_i,
        .rst_i,
        .a_i(a),
        .b_i(b),
        .product_o
    );
  end else begin : gen_logic
    // The second factor is the one that selects; or the wider one: a row of the narrower factor for each
    // of its bits takes fewer LUTs.
    localparam bit Swaps = ASelects || (Multiplies && ABits > BBits);
    localparam int FirstBits = Swaps ? BBits : ABits;
    localparam int FirstKind = Swaps ? BKind : AKind;
    localparam int SecondBits = Swaps ? ABits : BBits;
    localparam int SecondKind = Swaps ? AKind : BKind;
    logic [FirstBits-1:0] first;
    logic [SecondBits-1:0] second;
    if (Swaps) begin : gen_swapped
      assign first  = b_i;
      assign second = a_i;
    end else begin : gen_in_order
      assign first  = a_i;
      assign second = b_i;
    end

    logic [Bits-1:0] value;
    if (Multiplies) begin : gen_lut
      product_lut #(
          .ABits  (FirstBits),
          .ASigned(FirstKind),
          .BBits  (SecondBits),
          .BSigned(SecondKind),
          .Bits   (Bits)
      ) u_product (
          .a_i(first),
          .b_i(second),
          .product_o(value)
      );
    end else if (Shifts) begin : gen_shift
      product_shift #(
          .ABits(FirstBits),
          .AKind(FirstKind),
          .BBits(SecondBits),
          .Bits (Bits)
      ) u_product (
          .a_i(first),
          .b_i(second),
          .product_o(value)
      );
    end else begin : gen_select
      product_select #(
          .ABits(FirstBits),
          .AKind(FirstKind),
          .BBits(SecondBits),
          .BKind(SecondKind),
          .Bits (Bits)
      ) u_product (
          .a_i(first),
          .b_i(second),
          .product_o(value)
      );
    end
    delay #(
        .Width (Bits),
        .Cycles(Stages)
    ) u_delay (
        .clk_i,
        .rst_i,
        .data_i(value),
        .data_o(product_o)
    );
  end
endmodule
