// Test bench: reset, the cycle counter, and the end of the simulation.
//
// Reset lasts four cycles; cycle 0 is the first behind it. The run ends in cycle +limit=, or once
// nothing has moved for +idle= cycles. Simulation only.
module bench_control (
    input  logic        clk_i,
    // A token moved somewhere.
    input  logic        moves_i,
    output logic        rst_o,
    output logic [31:0] cycle_o
);
  logic [31:0] limit, idle, idle_q;
  logic [2:0] reset_q;

  initial begin
    if (!$value$plusargs("limit=%d", limit)) limit = '1;
    if (!$value$plusargs("idle=%d", idle)) idle = '1;
    reset_q = 3'd4;
  end

  assign rst_o = reset_q != 0;

  always_ff @(posedge clk_i) begin
    if (rst_o) reset_q <= reset_q - 1;
    cycle_o <= rst_o ? '0 : cycle_o + 1;
    idle_q  <= rst_o || moves_i ? '0 : idle_q + 1;
    if (!rst_o && (cycle_o >= limit || idle_q >= idle)) $finish;
  end
endmodule
