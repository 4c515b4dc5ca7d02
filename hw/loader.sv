// Keeps the accelerator in reset until its large memories are filled, then lets frames in.
//
// Formula: transfers of the stream `weights` go to all memories (large_ram.sv), which take them in
// turn: each has turn_i from loaded_o of the one before, and loaded_i here is that of the last.
//
// Timing contract: a transfer is taken in every cycle in which it is offered, from the first without
// reset on, until loaded_i is high. If the last one happens in cycle t, rst_o is low from cycle t + 2 on;
// rst_o is a register. Frames pass the gate combinationally, and not while rst_o is high.
// Python twin: codesign/sim/startup.py.
module loader (
    input  logic clk_i,
    input  logic rst_i,
    // From the host: contents, and frames.
    input  logic weights_tvalid_i,
    output logic weights_tready_o,
    input  logic host_tvalid_i,
    output logic host_tready_o,
    // To and from the memories.
    output logic load_valid_o,
    input  logic loaded_i,
    // To the accelerator: reset, and frames.
    output logic rst_o,
    output logic frames_tvalid_o,
    input  logic frames_tready_i
);
  assign weights_tready_o = !rst_i && !loaded_i;
  assign load_valid_o = weights_tvalid_i && weights_tready_o;

  always_ff @(posedge clk_i) rst_o <= rst_i || !loaded_i;

  assign frames_tvalid_o = host_tvalid_i && !rst_o;
  assign host_tready_o = frames_tready_i && !rst_o;
endmodule
