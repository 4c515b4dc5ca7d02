// Compares running_sum.sv with the integers for all sums so far and all values; prints each difference.
module sum_check #(
    parameter int Bits = 4,
    parameter int ValueBits = 3,
    parameter int Signed = 1,
    parameter int Start = 0
) (
    input logic clk_i,
    input logic rst_i
);
  logic [Bits+ValueBits:0] count_q;
  logic first;
  logic [Bits-1:0] so_far, sum;
  logic [ValueBits-1:0] value;
  assign {first, so_far, value} = count_q;
  always_ff @(posedge clk_i) count_q <= rst_i ? '0 : count_q + 1'b1;

  running_sum #(
      .Bits(Bits), .ValueBits(ValueBits), .Signed(Signed), .Start(Start)
  ) u_sum (
      .first_i(first), .so_far_i(so_far), .value_i(value), .sum_o(sum)
  );

  int expected;
  always_comb begin
    expected = (first ? Start : 32'(so_far)) + 32'(value);
    if (Signed == 1 && value[ValueBits-1]) expected -= 1 << ValueBits;
  end
  always_ff @(posedge clk_i) begin
    if (!rst_i && sum != Bits'(expected))
      $display("%m: %0d where %0d is expected, first %0d, %0d, %0d", sum, Bits'(expected), first,
               so_far, value);
  end
endmodule
