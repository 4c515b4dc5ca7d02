// The reader of a sliding window: takes every pixel of a picture and keeps those that a window uses.
//
// Timing contract: an event for each beat of a frame, Groups a pixel, for ever. takes_o is the event: it
// needs valid_i and, where the beat is kept (keeps_o), space_i, both of the same cycle.
// Dropped are the rest behind the last window and, with a stride over the kernel's span, the gaps
// between windows.
// Python twin: codesign/blocks/window_program.py.
module window_reader #(
    parameter int Groups = 2,
    parameter int Height = 6,
    parameter int Width = 5,
    // Vertical, then horizontal.
    parameter int KernelV = 3,
    parameter int KernelH = 3,
    parameter int StrideV = 1,
    parameter int StrideH = 1,
    parameter int DilationV = 1,
    parameter int DilationH = 1
) (
    input  logic clk_i,
    input  logic rst_i,
    input  logic valid_i,
    input  logic space_i,
    output logic takes_o,
    output logic keeps_o
);
  // Per axis: pixels that the kernel spans, windows, pixels that windows use.
  localparam int SpanV = (KernelV - 1) * DilationV + 1;
  localparam int SpanH = (KernelH - 1) * DilationH + 1;
  localparam int UsedV = (Height - SpanV) / StrideV * StrideV + SpanV;
  localparam int UsedH = (Width - SpanH) / StrideH * StrideH + SpanH;
  if (SpanV > Height || SpanH > Width) begin : gen_check_span
    $fatal(1, "window: the kernel spans %0d x %0d and must fit the picture %0d x %0d", SpanV, SpanH,
           Height, Width);
  end

  // Beat of a row, row, and both again modulo the stride.
  localparam int RowBeats = Width * Groups;
  localparam int PhaseBeats = StrideH * Groups;
  localparam int BeatBits = $clog2(RowBeats + 1);
  localparam int RowBits = $clog2(Height + 1);
  localparam int PhaseBits = $clog2(PhaseBeats + 1);
  localparam int RowPhaseBits = $clog2(StrideV + 1);
  // A stride within the span never drops pixels between windows.
  localparam int KeptBeats = (SpanH < StrideH ? SpanH : StrideH) * Groups;
  localparam int KeptRows = SpanV < StrideV ? SpanV : StrideV;

  logic [BeatBits-1:0] beat_q;
  logic [RowBits-1:0] row_q;
  logic [PhaseBits-1:0] phase_q;
  logic [RowPhaseBits-1:0] row_phase_q;
  logic row_done, frame_done;

  assign keeps_o = beat_q < BeatBits'(UsedH * Groups) && phase_q < PhaseBits'(KeptBeats) &&
      row_q < RowBits'(UsedV) && row_phase_q < RowPhaseBits'(KeptRows);
  assign takes_o = valid_i && (!keeps_o || space_i);
  assign row_done = beat_q == BeatBits'(RowBeats - 1);
  assign frame_done = row_done && row_q == RowBits'(Height - 1);

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      beat_q <= '0;
      row_q <= '0;
      phase_q <= '0;
      row_phase_q <= '0;
    end else if (takes_o) begin
      beat_q  <= row_done ? '0 : beat_q + 1'b1;
      phase_q <= row_done || phase_q == PhaseBits'(PhaseBeats - 1) ? '0 : phase_q + 1'b1;
      if (frame_done) begin
        row_q <= '0;
        row_phase_q <= '0;
      end else if (row_done) begin
        row_q <= row_q + 1'b1;
        row_phase_q <= row_phase_q == RowPhaseBits'(StrideV - 1) ? '0 : row_phase_q + 1'b1;
      end
    end
  end
endmodule
