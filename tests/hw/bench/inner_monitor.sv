// As monitor.sv for a channel inside a block, without data: "Id R cycle 0" for each token released.
module inner_monitor #(
    parameter int Id = 0
) (
    input logic        clk_i,
    input logic        rst_i,
    input logic        issue_i,
    input logic [31:0] released_i
);
  int cycle_q;
  always_ff @(posedge clk_i) begin
    cycle_q <= rst_i ? 0 : cycle_q + 1;
    if (!rst_i && issue_i) $display("%0d W %0d", Id, cycle_q);
    if (!rst_i) begin
      for (int i = 0; i < released_i; i++) $display("%0d R %0d 0", Id, cycle_q);
    end
  end
endmodule
