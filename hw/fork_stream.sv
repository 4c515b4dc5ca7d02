// Fork: the same stream for 1 to 4 readers (`fork` itself is a word of the language).
//
// Timing contract: every event reads in0 and writes all of the first Copies outputs in the same cycle;
// it needs space in all of them. Wires only: data come in the cycle of issue. Outputs behind Copies are
// never written and their space is not looked at.
// in0_ready_o and every issue depend on in0_valid_i and the spaces of the same cycle.
// Python twin: codesign/blocks/fork.py.
module fork_stream #(
    parameter int Copies = 2,
    // Bits of a beat.
    parameter int Width = 8
) (
    input  logic             clk_i,
    input  logic             rst_i,
    input  logic             in0_valid_i,
    output logic             in0_ready_o,
    input  logic [Width-1:0] in0_data_i,
    input  logic             out0_space_i,
    output logic             out0_issue_o,
    output logic             out0_valid_o,
    output logic [Width-1:0] out0_data_o,
    input  logic             out1_space_i,
    output logic             out1_issue_o,
    output logic             out1_valid_o,
    output logic [Width-1:0] out1_data_o,
    input  logic             out2_space_i,
    output logic             out2_issue_o,
    output logic             out2_valid_o,
    output logic [Width-1:0] out2_data_o,
    input  logic             out3_space_i,
    output logic             out3_issue_o,
    output logic             out3_valid_o,
    output logic [Width-1:0] out3_data_o
);
  if (Copies < 1 || Copies > 4) begin : gen_check
    $fatal(1, "fork_stream: Copies must be 1 to 4, not %0d (Width %0d)", Copies, Width);
  end

  logic step, unused;
  assign unused = clk_i ^ rst_i;
  assign step = in0_valid_i && out0_space_i && (Copies < 2 || out1_space_i) &&
      (Copies < 3 || out2_space_i) && (Copies < 4 || out3_space_i);
  assign in0_ready_o = step;
  assign {out0_issue_o, out0_valid_o} = {2{step}};
  assign {out1_issue_o, out1_valid_o} = {2{step && Copies > 1}};
  assign {out2_issue_o, out2_valid_o} = {2{step && Copies > 2}};
  assign {out3_issue_o, out3_valid_o} = {2{step && Copies > 3}};
  assign out0_data_o = in0_data_i;
  assign out1_data_o = in0_data_i;
  assign out2_data_o = in0_data_i;
  assign out3_data_o = in0_data_i;
endmodule
