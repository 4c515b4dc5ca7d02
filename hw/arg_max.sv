// ArgMax: the index of the largest of Pe * Beats values, the lowest index among equals.
//
// Formula: y = the least i with x[i] >= x[k] for all k; value b*Pe + p is lane p of beat b.
// Timing contract, per vector: Beats reads of in0, the last of which also writes out0 and alone waits
// for space. A tournament over the lanes with a register every second level and behind the last, then
// the comparison with the best so far: data come L = 1 + ceil(ceil(log2 Pe) / 2) cycles after issue.
// in0_ready_o and out0_issue_o depend on in0_valid_i and out0_space_i of the same cycle.
// Kinds of a value: 0 unsigned, 1 and 3 two's complement, 2 bipolar (1 is +1, 0 is -1).
// Python twin: codesign/blocks/arg_max.py.
module arg_max #(
    parameter int Pe = 2,
    // Classes / Pe.
    parameter int Beats = 5,
    parameter int InBits = 6,
    parameter int InKind = 1,
    parameter int OutBits = 4
) (
    input  logic                 clk_i,
    input  logic                 rst_i,
    input  logic                 in0_valid_i,
    output logic                 in0_ready_o,
    input  logic [Pe*InBits-1:0] in0_data_i,
    input  logic                 out0_space_i,
    output logic                 out0_issue_o,
    output logic                 out0_valid_o,
    output logic [  OutBits-1:0] out0_data_o
);
  if (Pe * Beats > (1 << OutBits)) begin : gen_check
    $fatal(1, "arg_max: OutBits must hold the index of %0d classes, not %0d", Pe * Beats, OutBits);
  end

  localparam int Levels = $clog2(Pe);
  localparam int TreeStages = (Levels + 1) / 2;
  // A value with its index; a value is compared as two's complement with one bit more.
  localparam int Wide = InBits + 1;
  localparam int Pair = Wide + OutBits;

  logic step, first, last, group;
  tap_sequencer #(
      .Taps  (Beats),
      .Groups(1)
  ) u_sequencer (
      .clk_i,
      .rst_i,
      .valid_i(in0_valid_i),
      .space_i(out0_space_i),
      .step_o (step),
      .first_o(first),
      .last_o (last),
      .group_o(group)
  );
  logic unused;
  assign unused = group;
  assign in0_ready_o  = step;
  assign out0_issue_o = step && last;

  // The tournament: the left one of a pair has the lower index and wins unless the right is larger.
  for (genvar l = 0; l <= Levels; l++) begin : gen_level
    localparam int Count = (Pe + (1 << l) - 1) >> l;
    logic [Count*Pair-1:0] pair;
    if (l == 0) begin : gen_in
      for (genvar p = 0; p < Pe; p++) begin : gen_lane
        logic [Wide-1:0] value;
        if (InKind == 2) begin : gen_bipolar
          assign value = {1'b0, in0_data_i[p*InBits+:InBits]};
        end else begin : gen_integer
          extend #(
              .InBits (InBits),
              .InKind (InKind),
              .OutBits(Wide)
          ) u_value (
              .data_i(in0_data_i[p*InBits+:InBits]),
              .data_o(value)
          );
        end
        assign pair[p*Pair+:Pair] = {value, OutBits'(p)};
      end
    end else begin : gen_match
      localparam int Before = (Pe + (1 << (l - 1)) - 1) >> (l - 1);
      logic [Count*Pair-1:0] winner;
      for (genvar i = 0; i < Count; i++) begin : gen_pair
        logic [Pair-1:0] left;
        assign left = gen_level[l-1].pair[2*i*Pair+:Pair];
        if (2 * i + 1 < Before) begin : gen_both
          logic [Pair-1:0] right;
          assign right = gen_level[l-1].pair[(2*i+1)*Pair+:Pair];
          assign winner[i*Pair+:Pair] =
              $signed(right[Pair-1:OutBits]) > $signed(left[Pair-1:OutBits]) ? right : left;
        end else begin : gen_single
          assign winner[i*Pair+:Pair] = left;
        end
      end
      if (l % 2 == 0 || l == Levels) begin : gen_register
        always_ff @(posedge clk_i) pair <= winner;
      end else begin : gen_wire
        assign pair = winner;
      end
    end
  end

  logic step_best, first_best;
  delay #(
      .Cycles(TreeStages),
      .Reset (1)
  ) u_step (
      .clk_i,
      .rst_i,
      .data_i(step),
      .data_o(step_best)
  );
  delay #(
      .Cycles(TreeStages)
  ) u_first (
      .clk_i,
      .rst_i (1'b0),
      .data_i(first),
      .data_o(first_best)
  );
  delay #(
      .Cycles(TreeStages + 1),
      .Reset (1)
  ) u_valid (
      .clk_i,
      .rst_i,
      .data_i(out0_issue_o),
      .data_o(out0_valid_o)
  );

  // The best so far: an earlier beat wins unless the new one is larger.
  logic [Pair-1:0] newest;
  logic signed [Wide-1:0] value, best_q;
  logic [OutBits-1:0] index, index_q, base_q;
  assign newest = gen_level[Levels].pair;
  assign value = newest[Pair-1:OutBits];
  assign index = newest[OutBits-1:0] + (first_best ? '0 : base_q);
  always_ff @(posedge clk_i) begin
    if (step_best) begin
      base_q <= (first_best ? '0 : base_q) + OutBits'(Pe);
      if (first_best || value > best_q) begin
        best_q  <= value;
        index_q <= index;
      end
    end
  end
  assign out0_data_o = index_q;
endmodule
