// A value Cycles cycles later; Cycles = 0 is a wire.
//
// Timing contract: data_o in cycle t + Cycles is data_i of cycle t. With Reset = 1 the registers
// start at 0, as flags must; data needs no reset.
// Python twin: codesign/blocks/control.py (the flip-flop of each pipeline stage).
module delay #(
    parameter int Width = 1,
    parameter int Cycles = 1,
    // 1: registers are cleared by rst_i.
    parameter int Reset = 0
) (
    input  logic             clk_i,
    input  logic             rst_i,
    input  logic [Width-1:0] data_i,
    output logic [Width-1:0] data_o
);
  if (Cycles < 0 || Width < 1) begin : gen_check
    $fatal(1, "delay: Cycles must be >= 0 and Width >= 1, not %0d and %0d", Cycles, Width);
  end

  if (Cycles <= 0) begin : gen_wire
    logic unused;
    assign unused = ^{clk_i, rst_i};
    assign data_o = data_i;
  end else begin : gen_registers
    logic [Cycles*Width-1:0] stages_q, stages_d;
    if (Cycles == 1) begin : gen_one
      assign stages_d = data_i;
    end else begin : gen_more
      assign stages_d = {stages_q[(Cycles-1)*Width-1:0], data_i};
    end
    if (Reset == 1) begin : gen_reset
      always_ff @(posedge clk_i) stages_q <= rst_i ? '0 : stages_d;
    end else begin : gen_free
      logic unused;
      assign unused = rst_i;
      always_ff @(posedge clk_i) stages_q <= stages_d;
    end
    assign data_o = stages_q[(Cycles-1)*Width+:Width];
  end
endmodule
