// Test bench: sends the beats of the file source.txt in Folder of the folder +work=, then is silent.
//
// Each line holds a gap in cycles (>= 1) and the data, both hexadecimal. A beat is offered from the
// cycle on in which `gap` cycles have passed since the beat before (reset counts as a beat in cycle
// -1), and is held until it is taken. Simulation only.
// Python twin: codesign/sim/host.py (host_source).
module axis_source #(
    parameter int Width = 8,
    parameter Folder = "."
) (
    input  logic             clk_i,
    input  logic             rst_i,
    output logic             axis_tvalid_o,
    input  logic             axis_tready_i,
    output logic [Width-1:0] axis_tdata_o
);
  string work;
  integer file, fields;
  logic [31:0] gap, wait_q;
  logic [Width-1:0] data;
  logic there_q;

  initial begin
    if (!$value$plusargs("work=%s", work)) work = ".";
    file = $fopen({work, "/", Folder, "/source.txt"}, "r");
    if (file == 0) $fatal(1, "axis_source: %s/%s/source.txt cannot be read", work, Folder);
    fields = $fscanf(file, "%h %h", gap, data);
  end

  assign axis_tvalid_o = there_q && wait_q == 0 && !rst_i;

  always @(posedge clk_i) begin
    if (axis_tvalid_o && axis_tready_i) fields = $fscanf(file, "%h %h", gap, data);
    if (rst_i || (axis_tvalid_o && axis_tready_i)) begin
      there_q <= fields == 2;
      wait_q <= gap - 1;
      axis_tdata_o <= data;
    end else if (wait_q != 0) begin
      wait_q <= wait_q - 1;
    end
  end
endmodule
