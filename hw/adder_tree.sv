// The sum of Lanes values, as a binary tree of adders with pipeline registers.
//
// Formula: sum_o = sum over i of the value i of data_i, two's complement when Signed.
// Timing contract: fully pipelined; a register behind every second level and behind the last, so
// ceil(ceil(log2 Lanes) / 2) cycles; one lane is a wire.
// Python twin: codesign/blocks/adders.py.
module adder_tree #(
    parameter int Lanes = 4,
    // Bits of one value; the sum has $clog2(Lanes) more.
    parameter int Bits = 8,
    parameter int Signed = 1,
    localparam int Levels = $clog2(Lanes),
    localparam int SumBits = Bits + Levels
) (
    input  logic                  clk_i,
    input  logic [Lanes*Bits-1:0] data_i,
    output logic [   SumBits-1:0] sum_o
);
  if (Lanes < 1 || Bits < 1) begin : gen_check
    $fatal(1, "adder_tree: Lanes and Bits must be at least 1, not %0d and %0d", Lanes, Bits);
  end

  for (genvar l = 0; l <= Levels; l++) begin : gen_level
    localparam int Count = (Lanes + (1 << l) - 1) >> l;
    localparam int Wide = Bits + l;
    logic [Count*Wide-1:0] value;
    if (l == 0) begin : gen_in
      assign value = data_i;
    end else begin : gen_add
      localparam int Before = (Lanes + (1 << (l - 1)) - 1) >> (l - 1);
      logic [Count*Wide-1:0] added;
      for (genvar i = 0; i < Count; i++) begin : gen_pair
        logic [Wide-2:0] a;
        assign a = gen_level[l-1].value[2*i*(Wide-1)+:Wide-1];
        if (2 * i + 1 < Before) begin : gen_both
          logic [Wide-2:0] b;
          assign b = gen_level[l-1].value[(2*i+1)*(Wide-1)+:Wide-1];
          if (Signed == 1) begin : gen_signed
            assign added[i*Wide+:Wide] = {a[Wide-2], a} + {b[Wide-2], b};
          end else begin : gen_unsigned
            assign added[i*Wide+:Wide] = {1'b0, a} + {1'b0, b};
          end
        end else begin : gen_single
          assign added[i*Wide+:Wide] = {Signed == 1 && a[Wide-2], a};
        end
      end
      if (l % 2 == 0 || l == Levels) begin : gen_register
        always_ff @(posedge clk_i) value <= added;
      end else begin : gen_wire
        assign value = added;
      end
    end
  end
  assign sum_o = gen_level[Levels].value;

  if (Levels == 0) begin : gen_no_register
    logic unused;
    assign unused = clk_i;
  end
endmodule
