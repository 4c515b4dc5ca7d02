// Width converter: the same elements in beats of another number of lanes.
//
// The larger of InLanes and OutLanes is a multiple of the smaller.
// Timing contract, joining (InLanes <= OutLanes): every event reads in0, every OutLanes/InLanes-th one
// also writes out0 and alone waits for space. Splitting: every event writes out0 and needs in0, the last
// of InLanes/OutLanes ones releases it. Data come in the cycle of issue. in0_ready_o and
// out0_issue_o depend on in0_valid_i and out0_space_i of the same cycle.
// Python twin: codesign/blocks/width_converter.py.
module width_converter #(
    parameter int InLanes = 2,
    parameter int OutLanes = 6,
    // Bits of a lane.
    parameter int Bits = 4
) (
    input  logic                     clk_i,
    input  logic                     rst_i,
    input  logic                     in0_valid_i,
    output logic                     in0_ready_o,
    input  logic [ InLanes*Bits-1:0] in0_data_i,
    input  logic                     out0_space_i,
    output logic                     out0_issue_o,
    output logic                     out0_valid_o,
    output logic [OutLanes*Bits-1:0] out0_data_o
);
  if (InLanes % OutLanes != 0 && OutLanes % InLanes != 0) begin : gen_check
    $fatal(1, "width_converter: one of InLanes and OutLanes must divide the other, not %0d and %0d",
           InLanes, OutLanes);
  end

  localparam bit Joins = InLanes <= OutLanes;
  localparam int Ratio = Joins ? OutLanes / InLanes : InLanes / OutLanes;
  localparam int TurnBits = Ratio > 1 ? $clog2(Ratio) : 1;

  logic [TurnBits-1:0] turn_q;
  logic step, last;
  assign last = turn_q == TurnBits'(Ratio - 1);
  assign out0_valid_o = out0_issue_o;
  always_ff @(posedge clk_i) begin
    if (rst_i) turn_q <= '0;
    else if (step) turn_q <= last ? '0 : turn_q + 1'b1;
  end

  if (Joins) begin : gen_join
    assign step = in0_valid_i && (!last || out0_space_i);
    assign in0_ready_o = step;
    assign out0_issue_o = step && last;
    if (Ratio == 1) begin : gen_same
      assign out0_data_o = in0_data_i;
    end else begin : gen_collect
      // The beats before, the oldest at the bottom: each new one comes in at the top.
      localparam int BeatBits = InLanes * Bits;
      logic [(Ratio-1)*BeatBits-1:0] collected_q, collected_d;
      if (Ratio == 2) begin : gen_one
        assign collected_d = in0_data_i;
      end else begin : gen_more
        assign collected_d = {in0_data_i, collected_q[(Ratio-1)*BeatBits-1:BeatBits]};
      end
      always_ff @(posedge clk_i) if (step) collected_q <= collected_d;
      assign out0_data_o = {in0_data_i, collected_q};
    end
  end else begin : gen_split
    localparam int BeatBits = OutLanes * Bits;
    assign step = in0_valid_i && out0_space_i;
    assign in0_ready_o = step && last;
    assign out0_issue_o = step;
    // Filled up to a power of two, so that the multiplexer needs no arithmetic.
    logic [(BeatBits<<TurnBits)-1:0] parts;
    assign parts = (BeatBits << TurnBits)'(in0_data_i);
    assign out0_data_o = parts[turn_q*BeatBits+:BeatBits];
  end
endmodule
