// Padding: a border of one value around a picture, Pe channels a cycle.
//
// Formula: (Height, Width, channels) inside of a border of Top, Bottom, Left and Right pixels of Value.
// Timing contract, per frame: one event for each beat of the larger picture, row by row; it writes
// out0, and inside of the border it reads in0. Data come in the cycle of issue, through a multiplexer.
// in0_ready_o and out0_issue_o depend on in0_valid_i and out0_space_i of the same cycle.
// Python twin: codesign/blocks/pad.py.
module pad #(
    parameter int Pe = 2,
    // Channels / Pe.
    parameter int Groups = 2,
    parameter int Bits = 4,
    parameter int Height = 3,
    parameter int Width = 2,
    parameter int Top = 1,
    parameter int Bottom = 1,
    parameter int Left = 1,
    parameter int Right = 1,
    // The wire code of the border's value.
    parameter int Value = 0
) (
    input  logic               clk_i,
    input  logic               rst_i,
    input  logic               in0_valid_i,
    output logic               in0_ready_o,
    input  logic [Pe*Bits-1:0] in0_data_i,
    input  logic               out0_space_i,
    output logic               out0_issue_o,
    output logic               out0_valid_o,
    output logic [Pe*Bits-1:0] out0_data_o
);
  if (Height < 1 || Width < 1) begin : gen_check
    $fatal(1, "pad: Height and Width must be at least 1, not %0d and %0d", Height, Width);
  end

  localparam int Rows = Top + Height + Bottom;
  localparam int Beats = (Left + Width + Right) * Groups;
  localparam int RowBits = $clog2(Rows + 1);
  localparam int BeatBits = $clog2(Beats + 1);

  logic [RowBits-1:0] row_q;
  logic [BeatBits-1:0] beat_q;
  logic [RowBits-1:0] picture_row;
  logic [BeatBits-1:0] picture_beat;
  logic inner, step, last;

  // Places in the picture; above and left of it they wrap to values beyond its size.
  assign picture_row = row_q - RowBits'(Top);
  assign picture_beat = beat_q - BeatBits'(Left * Groups);
  assign inner = picture_row < RowBits'(Height) && picture_beat < BeatBits'(Width * Groups);
  assign step = out0_space_i && (!inner || in0_valid_i);
  assign in0_ready_o = step && inner;
  assign out0_issue_o = step;
  assign out0_valid_o = step;
  assign out0_data_o = inner ? in0_data_i : {Pe{Bits'(Value)}};

  assign last = beat_q == BeatBits'(Beats - 1);
  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      row_q  <= '0;
      beat_q <= '0;
    end else if (step) begin
      beat_q <= last ? '0 : beat_q + 1'b1;
      if (last) row_q <= row_q == RowBits'(Rows - 1) ? '0 : row_q + 1'b1;
    end
  end
endmodule
