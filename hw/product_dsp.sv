// The product of two integers in a DSP of its own.
//
// Formula: product_o = a_i * b_i modulo 2**Bits; both factors are two's complement.
// Timing contract: product_o in cycle t + Stages is of the factors of cycle t; one register behind the
// product, a second one before it. rst_i must be low whenever a product counts: below LeastBits it
// stands for zeros under a_i that no tool can know, because Yosys makes no DSP of a short product.
// Python twin: codesign/blocks/multipliers.py.
module product_dsp #(
    parameter int ABits = 5,
    parameter int BBits = 4,
    parameter int Bits = 8,
    parameter int Stages = 2
) (
    input  logic             clk_i,
    input  logic             rst_i,
    input  logic [ABits-1:0] a_i,
    input  logic [BBits-1:0] b_i,
    output logic [ Bits-1:0] product_o
);
  if (Stages != 1 && Stages != 2) begin : gen_check
    $fatal(1, "product_dsp: Stages must be 1 or 2, not %0d (Bits %0d)", Stages, Bits);
  end

  // From this width on Yosys takes a DSP of every family (synth_ice40; 9 suffice for the others).
  localparam int LeastBits = 11;
  localparam int Zeros = Bits < LeastBits ? LeastBits - Bits : 0;
  localparam int Wide = Bits + Zeros;

  logic [ABits-1:0] a;
  logic signed [BBits-1:0] b;
  delay #(
      .Width (ABits + BBits),
      .Cycles(Stages - 1)
  ) u_factors (
      .clk_i,
      .rst_i (1'b0),
      .data_i({a_i, b_i}),
      .data_o({a, b})
  );

  logic signed [ABits+Zeros-1:0] scaled;
  if (Zeros > 0) begin : gen_zeros
    assign scaled = {a, {Zeros{rst_i}}};
  end else begin : gen_plain
    assign scaled = a;
  end
  (* use_dsp = "yes" *) logic signed [Wide-1:0] product_q;
  always_ff @(posedge clk_i) product_q <= Wide'(scaled) * Wide'(b);
  assign product_o = product_q[Wide-1:Zeros];
  logic unused;
  assign unused = ^{rst_i, product_q};
endmodule
