// Fork: the same stream for any number of readers (`fork` itself is a word of the language).
//
// Each part of the write side is one vector over the copies, copy 0 in the least significant bits.
//
// Timing contract: every event reads in0 and writes all outputs in the same cycle; it needs space in
// all of them. Wires only: data come in the cycle of issue.
// in0_ready_o and every issue depend on in0_valid_i and the spaces of the same cycle.
// Python twin: codesign/blocks/fork.py.
module fork_stream #(
    parameter int Copies = 2,
    // Bits of a beat.
    parameter int Width = 8
) (
    input  logic                    clk_i,
    input  logic                    rst_i,
    input  logic                    in0_valid_i,
    output logic                    in0_ready_o,
    input  logic [       Width-1:0] in0_data_i,
    input  logic [      Copies-1:0] out_space_i,
    output logic [      Copies-1:0] out_issue_o,
    output logic [      Copies-1:0] out_valid_o,
    output logic [Copies*Width-1:0] out_data_o
);
  if (Copies < 1) begin : gen_check
    $fatal(1, "fork_stream: Copies must be 1 or more, not %0d (Width %0d)", Copies, Width);
  end

  logic step, unused;
  assign unused = clk_i ^ rst_i;
  assign step = in0_valid_i && &out_space_i;
  assign in0_ready_o = step;
  assign out_issue_o = {Copies{step}};
  assign out_valid_o = {Copies{step}};
  assign out_data_o = {Copies{in0_data_i}};
endmodule
