// Zero insertion: pixels moved apart by Value, the first half of a transposed convolution; Pe channels
// a cycle.
//
// Formula: out[y, x] = in[y/StrideV, x/StrideH] where both divide, otherwise Value; the result has
// (Height - 1)*StrideV + 1 rows of (Width - 1)*StrideH + 1 pixels.
// Timing contract, per frame: one event for each beat of out0, which it writes; those of an own pixel
// read in0. Data come in the cycle of issue, through a multiplexer. in0_ready_o and out0_issue_o depend
// on in0_valid_i and out0_space_i of the same cycle.
// Python twin: codesign/blocks/zero_insert.py.
module zero_insert #(
    parameter int Pe = 2,
    // Channels / Pe.
    parameter int Groups = 2,
    parameter int Bits = 4,
    parameter int Height = 3,
    parameter int Width = 2,
    parameter int StrideV = 2,
    parameter int StrideH = 2,
    // The wire code of the inserted value.
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
  if (StrideV < 1 || StrideH < 1) begin : gen_check
    $fatal(1, "zero_insert: StrideV and StrideH must be at least 1, not %0d and %0d", StrideV,
           StrideH);
  end

  localparam int GroupBits = $clog2(Groups + 1);
  localparam int PixelBits = $clog2(Width + 1);
  localparam int RowBits = $clog2(Height + 1);
  localparam int PhaseHBits = $clog2(StrideH + 1);
  localparam int PhaseVBits = $clog2(StrideV + 1);

  // Own pixel and row, and the place behind them: 0 is their own.
  logic [GroupBits-1:0] group_q;
  logic [PixelBits-1:0] pixel_q;
  logic [RowBits-1:0] row_q;
  logic [PhaseHBits-1:0] phase_h_q;
  logic [PhaseVBits-1:0] phase_v_q;
  logic own, step, group_last, pixel_last, row_last, phase_h_last, phase_v_last;

  assign own = phase_h_q == '0 && phase_v_q == '0;
  assign step = out0_space_i && (!own || in0_valid_i);
  assign in0_ready_o = step && own;
  assign out0_issue_o = step;
  assign out0_valid_o = step;
  assign out0_data_o = own ? in0_data_i : {Pe{Bits'(Value)}};

  // Nothing follows the last pixel of a row and the last row.
  assign group_last = group_q == GroupBits'(Groups - 1);
  assign pixel_last = pixel_q == PixelBits'(Width - 1);
  assign phase_h_last = pixel_last || phase_h_q == PhaseHBits'(StrideH - 1);
  assign row_last = row_q == RowBits'(Height - 1);
  assign phase_v_last = row_last || phase_v_q == PhaseVBits'(StrideV - 1);

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      group_q <= '0;
      pixel_q <= '0;
      row_q <= '0;
      phase_h_q <= '0;
      phase_v_q <= '0;
    end else if (step) begin
      group_q <= group_last ? '0 : group_q + 1'b1;
      if (group_last) begin
        phase_h_q <= phase_h_last ? '0 : phase_h_q + 1'b1;
        if (phase_h_last) pixel_q <= pixel_last ? '0 : pixel_q + 1'b1;
        if (pixel_last) begin
          phase_v_q <= phase_v_last ? '0 : phase_v_q + 1'b1;
          if (phase_v_last) row_q <= row_last ? '0 : row_q + 1'b1;
        end
      end
    end
  end
endmodule
