// AXI4-Stream into the first channel: the only place, with axis_out, where AXI names appear.
//
// Formula: a token is the low Width bits of a transfer; DataBits is Width rounded up to bytes.
// Timing contract: one event per transfer, in the cycle of the transfer; latency 0. axis_tready_o is
// registered state of the channel and does not wait for axis_tvalid_i; axis_tvalid_i must be low
// during reset.
// Not guaranteed: the value of the padding bits is ignored.
// Python twin: codesign/sim/host.py (host_source).
module axis_in #(
    // Bits of one token.
    parameter int Width = 8,
    localparam int DataBits = (Width + 7) / 8 * 8
) (
    input  logic                axis_tvalid_i,
    output logic                axis_tready_o,
    input  logic [DataBits-1:0] axis_tdata_i,
    input  logic                out0_space_i,
    output logic                out0_issue_o,
    output logic                out0_valid_o,
    output logic [   Width-1:0] out0_data_o
);
  assign axis_tready_o = out0_space_i;
  assign out0_issue_o  = axis_tvalid_i && out0_space_i;
  assign out0_valid_o  = out0_issue_o;
  assign out0_data_o   = axis_tdata_i[Width-1:0];

  if (DataBits > Width) begin : gen_padding
    logic unused;
    assign unused = ^axis_tdata_i[DataBits-1:Width];
  end
endmodule
