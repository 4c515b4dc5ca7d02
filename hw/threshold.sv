// Thresholds: a quantiser (with its batch norm and activation) as a binary search, Pe channels a cycle.
//
// Formula: y = Base + Step * n, n the number of limits of the channel that x reaches (x >= limit).
// A channel whose bit in Flips is set counts the limits not reached, in the opposite order.
// Each stage decides one bit of n, the highest first.
//
// Timing contract: every event reads in0 and writes out0; data come Stages cycles after issue, and one
// more for each stage whose limits are in block RAM. in0_ready_o and out0_issue_o depend on in0_valid_i
// and out0_space_i of the same cycle.
// Memory: lane p has (2**Stages - 1) * Groups limits in Limits, from word p * that number on; stage k
// has its 2**k * Groups words from word (2**k - 1) * Groups of them on, word (g << k) + f for channel
// g*Pe + p with the bits f found before. Bit g*Pe + p of Flips belongs to that channel.
// Kinds of x: 0 unsigned, 1 and 3 two's complement, 2 bipolar (1 is +1, 0 is -1).
// Python twin: codesign/blocks/threshold.py.
module threshold #(
    parameter int Pe = 2,
    // Channels / Pe; 1 if all channels have the same limits.
    parameter int Groups = 2,
    parameter int Stages = 2,
    parameter int InBits = 6,
    parameter int InKind = 1,
    // InBits, or one more where a limit above every x occurs.
    parameter int LimitBits = 7,
    parameter int OutBits = 2,
    parameter int Base = 0,
    // Memories of this many words and more are block RAM; 0: none is.
    parameter int BlockWords = 0,
    localparam int LaneWords = Groups * ((1 << Stages) - 1),
    parameter logic [Pe*LaneWords*LimitBits-1:0] Limits = '0,
    parameter logic [Groups*Pe-1:0] Flips = '0
) (
    input  logic                  clk_i,
    input  logic                  rst_i,
    input  logic                  in0_valid_i,
    output logic                  in0_ready_o,
    input  logic [ Pe*InBits-1:0] in0_data_i,
    input  logic                  out0_space_i,
    output logic                  out0_issue_o,
    output logic                  out0_valid_o,
    output logic [Pe*OutBits-1:0] out0_data_o
);
  if (Stages < 1 || Stages > OutBits + 1) begin : gen_check_stages
    $fatal(1, "threshold: Stages must be 1 to OutBits + 1 = %0d, not %0d", OutBits + 1, Stages);
  end
  if (LimitBits < InBits || LimitBits > InBits + 2) begin : gen_check_limit
    $fatal(1, "threshold: LimitBits must be InBits = %0d or a little more, not %0d", InBits,
           LimitBits);
  end

  localparam int GroupBits = Groups > 1 ? $clog2(Groups) : 1;
  localparam int ChannelBits = Groups * Pe > 1 ? $clog2(Groups * Pe) : 1;
  // Compared as two's complement of this width.
  localparam int Wide = LimitBits + 1;

  logic step;
  logic [GroupBits-1:0] turn_q;
  assign step = in0_valid_i && out0_space_i;
  assign in0_ready_o = step;
  assign out0_issue_o = step;
  always_ff @(posedge clk_i) begin
    if (rst_i) turn_q <= '0;
    else if (step) turn_q <= turn_q == GroupBits'(Groups - 1) ? '0 : turn_q + 1'b1;
  end

  // Stage k appends bit k of the count, the highest first.
  for (genvar k = 0; k < Stages; k++) begin : gen_stage
    localparam int Words = Groups << k;
    localparam int AddrBits = Words > 1 ? $clog2(Words) : 1;
    localparam bit Block = BlockWords > 0 && Words >= BlockWords;

    // Bits found before this stage; the first stage carries a 0.
    localparam int Before = k > 0 ? k : 1;

    logic valid, valid_q;
    logic [GroupBits-1:0] group, compared_group;
    logic [Pe*InBits-1:0] x, compared_x;
    logic [Pe*Before-1:0] found, compared_found;
    logic [Pe*(k+1)-1:0] found_d, found_q;

    if (k == 0) begin : gen_first
      assign valid = step;
      assign group = turn_q;
      assign x = in0_data_i;
      assign found = '0;
    end else begin : gen_next
      assign valid = gen_stage[k-1].valid_q;
      assign group = gen_stage[k-1].gen_pass.group_q;
      assign x = gen_stage[k-1].gen_pass.x_q;
      assign found = gen_stage[k-1].found_q;
    end

    // The read of a block RAM takes a cycle, in which all else waits.
    delay #(
        .Width (GroupBits + Pe * InBits + Pe * Before),
        .Cycles(Block ? 1 : 0)
    ) u_wait (
        .clk_i,
        .rst_i (1'b0),
        .data_i({group, x, found}),
        .data_o({compared_group, compared_x, compared_found})
    );
    delay #(
        .Cycles(Block ? 2 : 1),
        .Reset (1)
    ) u_valid (
        .clk_i,
        .rst_i,
        .data_i(valid),
        .data_o(valid_q)
    );

    for (genvar p = 0; p < Pe; p++) begin : gen_lane
      logic [AddrBits-1:0] address;
      logic [LimitBits-1:0] limit;
      logic signed [Wide-1:0] value, bound;
      logic flips, reached;

      if (Groups == 1 && k == 0) begin : gen_single
        assign address = '0;
      end else if (Groups == 1) begin : gen_shared
        assign address = found[p*k+:k];
      end else if (k == 0) begin : gen_group
        assign address = group;
      end else begin : gen_both
        assign address = {group, found[p*k+:k]};
      end

      if (Block) begin : gen_block
        (* rom_style = "block", ram_style = "block" *) logic [LimitBits-1:0] words[Words];
        initial begin
          for (int i = 0; i < Words; i++)
            words[i] = Limits[(p*LaneWords+((1<<k)-1)*Groups+i)*LimitBits+:LimitBits];
        end
        always_ff @(posedge clk_i) limit <= words[address];
      end else begin : gen_lut
        logic [LimitBits-1:0] words[Words];
        initial begin
          for (int i = 0; i < Words; i++)
            words[i] = Limits[(p*LaneWords+((1<<k)-1)*Groups+i)*LimitBits+:LimitBits];
        end
        assign limit = words[address];
      end

      if (InKind == 0) begin : gen_unsigned
        assign value = $signed(Wide'(compared_x[p*InBits+:InBits]));
        assign bound = $signed({1'b0, limit});
      end else if (InKind == 2) begin : gen_bipolar
        assign value = compared_x[p] ? Wide'(1) : {Wide{1'b1}};
        assign bound = Wide'($signed(limit));
      end else begin : gen_signed
        assign value = Wide'($signed(compared_x[p*InBits+:InBits]));
        assign bound = Wide'($signed(limit));
      end
      assign flips = Flips[ChannelBits'(compared_group)*ChannelBits'(Pe)+ChannelBits'(p)];
      assign reached = (value >= bound) ^ flips;
      if (k == 0) begin : gen_start
        logic unused;
        assign unused = compared_found[p];
        assign found_d[p] = reached;
      end else begin : gen_append
        assign found_d[p*(k+1)+:k+1] = {compared_found[p*k+:k], reached};
      end
    end

    always_ff @(posedge clk_i) found_q <= found_d;
    if (k + 1 < Stages) begin : gen_pass
      logic [GroupBits-1:0] group_q;
      logic [Pe*InBits-1:0] x_q;
      always_ff @(posedge clk_i) begin
        group_q <= compared_group;
        x_q <= compared_x;
      end
    end
  end

  assign out0_valid_o = gen_stage[Stages-1].valid_q;
  for (genvar p = 0; p < Pe; p++) begin : gen_result
    // Of a bipolar result (Base = -1, Step = 2) the count is the bit itself.
    assign out0_data_o[p*OutBits+:OutBits] =
        OutBits'(gen_stage[Stages-1].found_q[p*Stages+:Stages]) + OutBits'(Base);
  end
endmodule
