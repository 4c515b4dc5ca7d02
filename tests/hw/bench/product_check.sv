// Compares one kind of product with the integers, operands by a counter; prints each difference.
//
// Three operands (an input and the weights of two rows) of AllBits bits together come in every
// combination; wider ones as every pair of input and weight, with the other weight at eight values, or,
// where that is more than AllBits bits, at random.
module product_check #(
    parameter int ABits = 4,
    parameter int AKind = 0,
    parameter int BBits = 4,
    parameter int BKind = 1,
    // 1: a does not take its most negative value.
    parameter int ANarrow = 0,
    // The same of b; a power of two has about half of its exponents.
    parameter int Narrow = 0,
    parameter int Bits = 8,
    // 0: product.sv in LUTs, 1: in a DSP of its own, 2: product_pair.sv.
    parameter int Unit = 0,
    parameter int PackedBits = 13,
    // A run has 2**(AllBits + 1) cycles.
    parameter int AllBits = 19
) (
    input logic clk_i,
    input logic rst_i
);
  function automatic int value(input int code, input int bits, input int kind);
    int low;
    low = code & ((1 << bits) - 1);
    if (kind == 2) value = 2 * low - 1;
    else if ((kind == 1 || kind == 3) && low >= 1 << (bits - 1)) value = low - (1 << bits);
    else if (kind == 4 && low >= 1 << (bits - 1)) value = -((1 << (low - (1 << (bits - 1)))) / 2);
    else if (kind == 4) value = (1 << low) / 2;
    else value = low;
  endfunction

  function automatic logic [BBits-1:0] allowed(input logic [BBits-1:0] code);
    allowed = code;
    // A narrow power of two has 2**(BBits - 2) exponents.
    if (Narrow == 1 && BKind == 4) allowed[BBits-2] = code[BBits-2] && BBits'(code << 2) == '0;
    else if (Narrow == 1 && code == BBits'(1 << (BBits - 1))) allowed = code + 1'b1;
  endfunction

  // Both ends of a signed and of an unsigned row, 0, 1 and two between.
  localparam bit [BBits-1:0] Top = BBits'(1) << (BBits - 1);
  localparam bit [8*BBits-1:0] Ends = {
    Top, Top - BBits'(1), {BBits{1'b1}}, BBits'(0), BBits'(1), Top + BBits'(1), BBits'(2), Top >> 1
  };

  int count_q;
  logic [31:0] dice_q;
  logic [BBits-1:0] one, other;
  logic [ABits-1:0] any_a, a;
  assign a = any_a + ABits'(ANarrow == 1 && any_a == ABits'(1 << (ABits - 1)));
  if (ABits + 2 * BBits <= AllBits) begin : gen_all
    assign {other, one, any_a} = (ABits + 2 * BBits)'(count_q);
  end else begin : gen_ends
    assign {one, any_a} = (ABits + BBits)'(ABits + BBits + 3 <= AllBits ? 32'(count_q) >> 3 : dice_q);
    assign other = Ends[count_q[2:0]*BBits+:BBits];
  end

  logic [ABits-1:0] a_q, a_qq;
  logic [2*BBits-1:0] b, b_q, b_qq;
  // The other weight is once the high one, once the low one.
  assign b = count_q[AllBits] ? {allowed(one), allowed(other)} : {allowed(other), allowed(one)};
  always_ff @(posedge clk_i) begin
    count_q <= rst_i ? 0 : count_q + 1;
    // xorshift32.
    dice_q <= rst_i ? 32'd2463534242 : shifted(dice_q);
    {a_qq, a_q} <= {a_q, a};
    {b_qq, b_q} <= {b_q, b};
  end
  function automatic logic [31:0] shifted(input logic [31:0] from);
    shifted = from ^ (from << 13);
    shifted = shifted ^ (shifted >> 17);
    shifted = shifted ^ (shifted << 5);
  endfunction

  logic [Bits-1:0] low, high;
  if (Unit == 2) begin : gen_pair
    product_pair #(
        .ABits(ABits), .AKind(AKind), .BBits(BBits), .BKind(BKind), .Bits(Bits),
        .PackedBits(PackedBits)
    ) u_pair (
        .clk_i, .a_i(a), .low_i(b[BBits-1:0]), .high_i(b[2*BBits-1:BBits]),
        .low_o(low), .high_o(high)
    );
  end else begin : gen_products
    for (genvar i = 0; i < 2; i++) begin : gen_each
      logic [Bits-1:0] found;
      product #(
          .ABits(ABits), .AKind(AKind), .BBits(BBits), .BKind(BKind), .Bits(Bits),
          .Stages(2), .Dsp(Unit)
      ) u_product (
          .clk_i, .rst_i, .a_i(a), .b_i(b[i*BBits+:BBits]), .product_o(found)
      );
    end
    assign low = gen_each[0].found;
    assign high = gen_each[1].found;
  end

  localparam int ResultKind = AKind != 0 || BKind != 0 ? 1 : 0;
  int expected[2], found[2];
  assign expected[0] = value(32'(a_qq), ABits, AKind) * value(32'(b_qq[BBits-1:0]), BBits, BKind);
  assign expected[1] = value(32'(a_qq), ABits, AKind) * value(32'(b_qq[2*BBits-1:BBits]), BBits, BKind);
  assign found[0] = value(32'(low), Bits, ResultKind);
  assign found[1] = value(32'(high), Bits, ResultKind);
  always_ff @(posedge clk_i) begin
    if (!rst_i && count_q > 2) begin
      for (int i = 0; i < 2; i++) begin
        if (found[i] != expected[i])
          $display("%m: %0d where %0d is expected, a %0h b %0h", found[i], expected[i], a_qq, b_qq);
      end
    end
  end
endmodule
