// The last channel out to AXI4-Stream; axis_tlast_o marks the last beat of a frame.
//
// Formula: the low Width bits of a transfer are the token, the bits above up to whole bytes are 0.
// Timing contract: one event per transfer, in the cycle of the transfer; latency 0. axis_tvalid_o,
// axis_tdata_o and axis_tlast_o are registered state, do not depend on axis_tready_i, and hold until
// the transfer.
// Python twin: codesign/sim/host.py (host_sink).
module axis_out #(
    // Bits of one token.
    parameter int Width = 8,
    // Beats of one frame.
    parameter int Beats = 1,
    localparam int DataBits = (Width + 7) / 8 * 8
) (
    input  logic                clk_i,
    input  logic                rst_i,
    input  logic                in0_valid_i,
    output logic                in0_ready_o,
    input  logic [   Width-1:0] in0_data_i,
    output logic                axis_tvalid_o,
    input  logic                axis_tready_i,
    output logic [DataBits-1:0] axis_tdata_o,
    output logic                axis_tlast_o
);
  localparam int CountBits = Beats > 1 ? $clog2(Beats) : 1;
  logic [CountBits-1:0] beat_q;

  if (Beats < 1) begin : gen_check
    $fatal(1, "axis_out: Beats must be at least 1, not %0d (Width %0d)", Beats, Width);
  end

  assign axis_tvalid_o = in0_valid_i;
  assign in0_ready_o   = in0_valid_i && axis_tready_i;
  assign axis_tdata_o  = DataBits'(in0_data_i);
  assign axis_tlast_o  = beat_q == CountBits'(Beats - 1);

  always_ff @(posedge clk_i) begin
    if (rst_i) beat_q <= '0;
    else if (in0_ready_o) beat_q <= axis_tlast_o ? '0 : beat_q + 1'b1;
  end
endmodule
