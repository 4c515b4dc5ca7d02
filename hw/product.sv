// The product of two integers: a multiplication, or a selection where a factor is -1, 0, +1 or one bit.
//
// Formula: product_o = a_i * b_i in Bits bits of two's complement (unsigned if both factors are).
// Kinds of a factor: 0 unsigned, 1 two's complement, 2 bipolar (one bit: 1 is +1, 0 is -1),
// 3 ternary (two's complement -1, 0, +1 in two bits).
// Timing contract: product_o in cycle t + Stages is of the factors of cycle t; Stages is 0 or 1.
// Python twin: codesign/blocks/multipliers.py.
module product #(
    parameter int ABits = 4,
    parameter int AKind = 0,
    parameter int BBits = 4,
    parameter int BKind = 1,
    // Enough for every product of the two types.
    parameter int Bits = 8,
    // Registers behind the product.
    parameter int Stages = 1,
    // 1: a multiplication goes into a DSP.
    parameter int Dsp = 0
) (
    input  logic             clk_i,
    input  logic [ABits-1:0] a_i,
    input  logic [BBits-1:0] b_i,
    output logic [ Bits-1:0] product_o
);
  if (AKind < 0 || AKind > 3 || BKind < 0 || BKind > 3) begin : gen_check_kind
    $fatal(1, "product: AKind and BKind must be 0 to 3, not %0d and %0d", AKind, BKind);
  end
  if (Stages != 0 && Stages != 1) begin : gen_check_stages
    $fatal(1, "product: Stages must be 0 or 1, not %0d (Bits %0d)", Stages, Bits);
  end

  // Width as two's complement; a bipolar bit becomes 2 bits.
  localparam int AWide = ABits + (AKind == 0 || AKind == 2 ? 1 : 0);
  localparam int BWide = BBits + (BKind == 0 || BKind == 2 ? 1 : 0);
  localparam bit BSelects = BKind >= 2 || BBits == 1;
  localparam bit ASelects = !BSelects && (AKind >= 2 || ABits == 1);

  logic signed [AWide-1:0] a;
  logic signed [BWide-1:0] b;
  if (AKind == 0) begin : gen_a_unsigned
    assign a = {1'b0, a_i};
  end else if (AKind == 2) begin : gen_a_bipolar
    assign a = {~a_i, 1'b1};
  end else begin : gen_a_signed
    assign a = a_i;
  end
  if (BKind == 0) begin : gen_b_unsigned
    assign b = {1'b0, b_i};
  end else if (BKind == 2) begin : gen_b_bipolar
    assign b = {~b_i, 1'b1};
  end else begin : gen_b_signed
    assign b = b_i;
  end

  if (BSelects || ASelects) begin : gen_select
    // The factor that selects is -1, 0 or +1 in at most 2 bits: its sign negates, its low bit passes.
    logic signed [Bits-1:0] passed, value;
    logic negate, pass;
    if (BSelects) begin : gen_b
      assign passed = Bits'(a);
      assign negate = b[BWide-1];
      assign pass   = b[0];
    end else begin : gen_a
      assign passed = Bits'(b);
      assign negate = a[AWide-1];
      assign pass   = a[0];
    end
    assign value = pass ? (negate ? -passed : passed) : '0;
    delay #(
        .Width (Bits),
        .Cycles(Stages)
    ) u_delay (
        .clk_i,
        .rst_i (1'b0),
        .data_i(value),
        .data_o(product_o)
    );
  end else if (Stages == 0) begin : gen_multiply
    logic unused;
    assign unused = clk_i;
    assign product_o = Bits'(a) * Bits'(b);
  end else if (Dsp == 1) begin : gen_dsp
    (* use_dsp = "yes" *) logic signed [Bits-1:0] product_q;
    always_ff @(posedge clk_i) product_q <= Bits'(a) * Bits'(b);
    assign product_o = product_q;
  end else begin : gen_lut
    (* use_dsp = "no" *) logic signed [Bits-1:0] product_q;
    always_ff @(posedge clk_i) product_q <= Bits'(a) * Bits'(b);
    assign product_o = product_q;
  end
endmodule
