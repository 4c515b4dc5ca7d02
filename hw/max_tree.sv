// The largest of Lanes values, as a binary tree of comparators with pipeline registers.
//
// Formula: max_o = max over i of the value i of data_i, two's complement when Signed.
// Timing contract: fully pipelined; a register behind every second level and behind the last, so
// ceil(ceil(log2 Lanes) / 2) cycles; one lane is a wire.
// Python twin: codesign/blocks/adders.py (tree_stages), codesign/blocks/max_pool.py.
module max_tree #(
    parameter int Lanes = 4,
    parameter int Bits = 8,
    parameter int Signed = 1,
    localparam int Levels = $clog2(Lanes)
) (
    input  logic                  clk_i,
    input  logic [Lanes*Bits-1:0] data_i,
    output logic [      Bits-1:0] max_o
);
  if (Lanes < 1 || Bits < 1) begin : gen_check
    $fatal(1, "max_tree: Lanes and Bits must be at least 1, not %0d and %0d", Lanes, Bits);
  end

  for (genvar l = 0; l <= Levels; l++) begin : gen_level
    localparam int Count = (Lanes + (1 << l) - 1) >> l;
    logic [Count*Bits-1:0] value;
    if (l == 0) begin : gen_in
      assign value = data_i;
    end else begin : gen_match
      localparam int Before = (Lanes + (1 << (l - 1)) - 1) >> (l - 1);
      logic [Count*Bits-1:0] larger;
      for (genvar i = 0; i < Count; i++) begin : gen_pair
        logic [Bits-1:0] a;
        assign a = gen_level[l-1].value[2*i*Bits+:Bits];
        if (2 * i + 1 < Before) begin : gen_both
          logic [Bits-1:0] b;
          assign b = gen_level[l-1].value[(2*i+1)*Bits+:Bits];
          if (Signed == 1) begin : gen_signed
            assign larger[i*Bits+:Bits] = $signed(a) > $signed(b) ? a : b;
          end else begin : gen_unsigned
            assign larger[i*Bits+:Bits] = a > b ? a : b;
          end
        end else begin : gen_single
          assign larger[i*Bits+:Bits] = a;
        end
      end
      if (l % 2 == 0 || l == Levels) begin : gen_register
        always_ff @(posedge clk_i) value <= larger;
      end else begin : gen_wire
        assign value = larger;
      end
    end
  end
  assign max_o = gen_level[Levels].value;

  if (Levels == 0) begin : gen_no_register
    logic unused;
    assign unused = clk_i;
  end
endmodule
