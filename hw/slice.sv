// Slice: a range of every chunk of a stream.
//
// Formula: of each Beats beats the Count beats from beat First on.
// Timing contract: every event reads in0; those of the range also write out0 and alone wait for space.
// Wires only: data come in the cycle of issue. in0_ready_o and out0_issue_o depend on in0_valid_i and
// out0_space_i of the same cycle.
// Python twin: codesign/blocks/slice.py.
module slice #(
    // Bits of a beat.
    parameter int Width = 8,
    parameter int Beats = 4,
    parameter int First = 1,
    parameter int Count = 2
) (
    input  logic             clk_i,
    input  logic             rst_i,
    input  logic             in0_valid_i,
    output logic             in0_ready_o,
    input  logic [Width-1:0] in0_data_i,
    input  logic             out0_space_i,
    output logic             out0_issue_o,
    output logic             out0_valid_o,
    output logic [Width-1:0] out0_data_o
);
  if (Count < 1 || First < 0 || First + Count > Beats) begin : gen_check
    $fatal(1, "slice: First + Count must lie within Beats, not %0d + %0d in %0d", First, Count,
           Beats);
  end

  localparam int BeatBits = $clog2(Beats + 1);

  logic [BeatBits-1:0] beat_q, place;
  logic keeps, step;

  // In front of the range the place wraps to a value beyond its size.
  assign place = beat_q - BeatBits'(First);
  assign keeps = place < BeatBits'(Count);
  assign step = in0_valid_i && (!keeps || out0_space_i);
  assign in0_ready_o = step;
  assign out0_issue_o = step && keeps;
  assign out0_valid_o = out0_issue_o;
  assign out0_data_o = in0_data_i;

  always_ff @(posedge clk_i) begin
    if (rst_i) beat_q <= '0;
    else if (step) beat_q <= beat_q == BeatBits'(Beats - 1) ? '0 : beat_q + 1'b1;
  end
endmodule
