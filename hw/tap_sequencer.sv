// Counters of a reduction over Taps rounds of Groups beats each, for ever.
//
// Timing contract: step_o is an event: it needs valid_i, and in the last round also space_i, both of
// the same cycle. group_o, first_o (first round) and last_o (last round) are of the next event.
// Python twin: codesign/blocks/programs.py (reduction).
module tap_sequencer #(
    parameter int Taps = 4,
    parameter int Groups = 2,
    localparam int GroupBits = Groups > 1 ? $clog2(Groups) : 1
) (
    input  logic                 clk_i,
    input  logic                 rst_i,
    input  logic                 valid_i,
    input  logic                 space_i,
    output logic                 step_o,
    output logic                 first_o,
    output logic                 last_o,
    output logic [GroupBits-1:0] group_o
);
  if (Taps < 1 || Groups < 1) begin : gen_check
    $fatal(1, "tap_sequencer: Taps and Groups must be at least 1, not %0d and %0d", Taps, Groups);
  end

  localparam int TapBits = Taps > 1 ? $clog2(Taps) : 1;

  logic [TapBits-1:0] tap_q;
  logic [GroupBits-1:0] group_q;
  logic wraps;
  assign first_o = Taps == 1 || tap_q == 0;
  assign last_o = Taps == 1 || tap_q == TapBits'(Taps - 1);
  assign group_o = group_q;
  assign step_o = valid_i && (!last_o || space_i);
  assign wraps = group_q == GroupBits'(Groups - 1);

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      tap_q   <= '0;
      group_q <= '0;
    end else if (step_o) begin
      group_q <= wraps ? '0 : group_q + 1'b1;
      if (wraps) tap_q <= last_o ? '0 : tap_q + 1'b1;
    end
  end
endmodule
