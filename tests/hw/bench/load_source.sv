// Sends Transfers transfers from a file, one a cycle, to fill a large_ram.
module load_source #(
    parameter int Width = 16,
    parameter int Transfers = 4,
    parameter DataFile = ""
) (
    input  logic             clk_i,
    input  logic             rst_i,
    output logic             valid_o,
    output logic [Width-1:0] data_o
);
  logic [Width-1:0] data[Transfers];
  initial $readmemh(DataFile, data);

  int sent_q;
  assign valid_o = !rst_i && sent_q < Transfers;
  assign data_o = data[sent_q];
  always_ff @(posedge clk_i) sent_q <= rst_i ? 0 : sent_q + int'(valid_o);
endmodule
