// Prints "Id W cycle" for each issue into a channel and "Id R cycle data" for each release.
module monitor #(
    parameter int Id = 0,
    parameter int Width = 8
) (
    input logic             clk_i,
    input logic             rst_i,
    input logic             issue_i,
    input logic             ready_i,
    input logic [Width-1:0] data_i
);
  int cycle_q;
  always_ff @(posedge clk_i) begin
    cycle_q <= rst_i ? 0 : cycle_q + 1;
    if (!rst_i && issue_i) $display("%0d W %0d", Id, cycle_q);
    if (!rst_i && ready_i) $display("%0d R %0d %0h", Id, cycle_q, data_i);
  end
endmodule
