// Issues Tokens tokens from a file; token i at least gap[i mod Gaps] cycles behind the one before.
module token_source #(
    parameter int Width = 8,
    parameter int Tokens = 4,
    parameter int Gaps = 2,
    parameter DataFile = "",
    parameter GapFile = ""
) (
    input  logic             clk_i,
    input  logic             rst_i,
    input  logic             space_i,
    output logic             issue_o,
    output logic [Width-1:0] data_o
);
  logic [Width-1:0] data[Tokens];
  logic [15:0] gap[Gaps];
  initial $readmemh(DataFile, data);
  initial $readmemh(GapFile, gap);

  int token_q, place_q, next;
  logic [15:0] wait_q;
  assign next = place_q == Gaps - 1 ? 0 : place_q + 1;
  assign issue_o = token_q < Tokens && wait_q == 0 && space_i;
  assign data_o = data[token_q];
  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      token_q <= 0;
      place_q <= 0;
      wait_q  <= gap[0] - 1;
    end else if (issue_o) begin
      token_q <= token_q + 1;
      place_q <= next;
      wait_q  <= gap[next] - 1;
    end else if (wait_q != 0) begin
      wait_q <= wait_q - 1;
    end
  end
endmodule
