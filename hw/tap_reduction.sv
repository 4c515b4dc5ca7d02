// A reduction over the taps of a window: its events, and the results so far of all channels.
//
// Formula: a result is the sum modulo 2**Bits, or the maximum, of Rounds values; Pe results side by side.
// Timing contract, per vector: Rounds * Groups events (step_o, see tap_sequencer.sv); those of the last
// round also issue a result and alone wait for space. The value of an event arrives at value_i Latency
// cycles later; result_o with valid_o comes Latency + 1 cycles after issue. in0_ready_o and out0_issue_o
// depend on in0_valid_i and out0_space_i of the same cycle.
// Memory: the result so far of each group of channels, read and written by the same event.
// Python twin: codesign/blocks/programs.py (reduction), codesign/blocks/adders.py (accumulators).
module tap_reduction #(
    parameter int Pe = 2,
    // Values that make one result.
    parameter int Rounds = 4,
    // Channels / Pe.
    parameter int Groups = 2,
    // Bits of a result, and of a value (of a maximum: the same).
    parameter int Bits = 8,
    parameter int ValueBits = Bits,
    // Cycles from an event to its value.
    parameter int Latency = 0,
    // 1: values are two's complement.
    parameter int Signed = 1,
    // 0: sum, 1: maximum.
    parameter int Maximum = 0,
    // Where the results so far lie: see state_ram.sv.
    parameter int Style = 0
) (
    input  logic                    clk_i,
    input  logic                    rst_i,
    input  logic                    in0_valid_i,
    output logic                    in0_ready_o,
    input  logic                    out0_space_i,
    output logic                    out0_issue_o,
    input  logic [Pe*ValueBits-1:0] value_i,
    output logic                    valid_o,
    output logic [     Pe*Bits-1:0] result_o
);
  localparam int GroupBits = Groups > 1 ? $clog2(Groups) : 1;
  if (Maximum == 1 && ValueBits != Bits) begin : gen_check
    $fatal(1, "tap_reduction: a maximum of values of %0d bits has as many, not %0d", ValueBits, Bits);
  end

  logic last, first;
  logic [GroupBits-1:0] group;
  tap_sequencer #(
      .Taps  (Rounds),
      .Groups(Groups)
  ) u_sequencer (
      .clk_i,
      .rst_i,
      .valid_i(in0_valid_i),
      .space_i(out0_space_i),
      .step_o (in0_ready_o),
      .first_o(first),
      .last_o (last),
      .group_o(group)
  );
  assign out0_issue_o = in0_ready_o && last;
  delay #(
      .Cycles(Latency + 1),
      .Reset (1)
  ) u_valid (
      .clk_i,
      .rst_i,
      .data_i(out0_issue_o),
      .data_o(valid_o)
  );

  logic [Pe*Bits-1:0] joined;
  always_ff @(posedge clk_i) result_o <= joined;
  if (Rounds == 1) begin : gen_at_once
    logic unused;
    assign unused = ^{first, group};
    for (genvar p = 0; p < Pe; p++) begin : gen_lane
      extend #(
          .InBits (ValueBits),
          .InKind (Signed),
          .OutBits(Bits)
      ) u_value (
          .data_i(value_i[p*ValueBits+:ValueBits]),
          .data_o(joined[p*Bits+:Bits])
      );
    end
  end else begin : gen_so_far
    logic step_value, first_value;
    logic [GroupBits-1:0] group_value;
    logic [Pe*Bits-1:0] so_far;
    delay #(
        .Cycles(Latency),
        .Reset (1)
    ) u_step (
        .clk_i,
        .rst_i,
        .data_i(in0_ready_o),
        .data_o(step_value)
    );
    delay #(
        .Width (1 + GroupBits),
        .Cycles(Latency)
    ) u_place (
        .clk_i,
        .rst_i (1'b0),
        .data_i({first, group}),
        .data_o({first_value, group_value})
    );
    state_ram #(
        .Width(Pe * Bits),
        .Depth(Groups),
        .Style(Style)
    ) u_so_far (
        .clk_i,
        .write_i(step_value),
        .addr_i (group_value),
        .data_i (joined),
        .data_o (so_far)
    );
    for (genvar p = 0; p < Pe; p++) begin : gen_lane
      logic [ValueBits-1:0] x;
      logic [Bits-1:0] y;
      assign x = value_i[p*ValueBits+:ValueBits];
      assign y = so_far[p*Bits+:Bits];
      if (Maximum == 0) begin : gen_sum
        running_sum #(
            .Bits     (Bits),
            .ValueBits(ValueBits),
            .Signed   (Signed)
        ) u_sum (
            .first_i (first_value),
            .so_far_i(y),
            .value_i (x),
            .sum_o   (joined[p*Bits+:Bits])
        );
      end else if (Signed == 1) begin : gen_signed
        assign joined[p*Bits+:Bits] = first_value || $signed(x) > $signed(y) ? x : y;
      end else begin : gen_unsigned
        assign joined[p*Bits+:Bits] = first_value || x > y ? x : y;
      end
    end
  end
endmodule
