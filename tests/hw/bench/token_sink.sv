// Releases tokens; token i at least gap[i mod Gaps] cycles behind the one before.
module token_sink #(
    parameter int Gaps = 2,
    parameter GapFile = ""
) (
    input  logic clk_i,
    input  logic rst_i,
    input  logic valid_i,
    output logic ready_o
);
  logic [15:0] gap[Gaps];
  initial $readmemh(GapFile, gap);

  int place_q, next;
  logic [15:0] wait_q;
  assign next = place_q == Gaps - 1 ? 0 : place_q + 1;
  assign ready_o = wait_q == 0 && valid_i;
  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      place_q <= 0;
      wait_q  <= gap[0] - 1;
    end else if (ready_o) begin
      place_q <= next;
      wait_q  <= gap[next] - 1;
    end else if (wait_q != 0) begin
      wait_q <= wait_q - 1;
    end
  end
endmodule
