// The next value of a running sum: a value on top of the sum so far, or on top of Start at first.
//
// Formula: sum_o = (first_i ? Start : so_far_i) + value_i, modulo 2**Bits.
// Timing contract: combinational.
// Of two summands Yosys leads the narrower one past the LUTs into the carry chain, and of two that are as
// wide any. The selection behind first_i has no LUT of its own only when it is the other one: so the value
// stays narrower than the sum, and a bit at the place of the sum's highest, which has no carry to pass on,
// is added there without one.
// Python twin: codesign/blocks/adders.py (accumulators).
module running_sum #(
    parameter int Bits = 8,
    parameter int ValueBits = 5,
    // 1: the value is two's complement.
    parameter int Signed = 1,
    parameter int Start = 0
) (
    input  logic                 first_i,
    input  logic [     Bits-1:0] so_far_i,
    input  logic [ValueBits-1:0] value_i,
    output logic [     Bits-1:0] sum_o
);
  if (Bits < 1 || ValueBits < 1) begin : gen_check
    $fatal(1, "running_sum: Bits and ValueBits must be >= 1, not %0d and %0d", Bits, ValueBits);
  end

  localparam bit Splits = ValueBits >= Bits && Bits > 1;
  localparam int Low = Splits ? Bits - 1 : ValueBits < Bits ? ValueBits : Bits;
  logic [Bits-1:0] base, top;
  logic [Low-1:0] low;
  assign base = (first_i ? Bits'(Start) : so_far_i) ^ top;
  assign low = value_i[Low-1:0];

  if (Signed == 1) begin : gen_signed
    assign sum_o = $signed(base) + Bits'($signed(low));
  end else begin : gen_unsigned
    assign sum_o = base + Bits'(low);
  end
  if (Splits) begin : gen_top
    // The sign of the low bits counts at the top already.
    logic sign;
    assign sign = Signed == 1 && low[Low-1];
    assign top  = {value_i[Bits-1] ^ sign, {Bits - 1{1'b0}}};
  end else begin : gen_all
    assign top = '0;
  end
  logic unused;
  assign unused = ^value_i;
endmodule
