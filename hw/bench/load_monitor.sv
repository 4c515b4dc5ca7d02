// Test bench: the clock of the frames in a design that is loaded first.
//
// Writes one line, the cycle behind the board's reset in which frames may start, hexadecimal with leading
// zeros, to the file startup in Folder of the folder +work=; that cycle is number 0 of cycle_o.
// Simulation only. Python twin: codesign/verify/records.py.
module load_monitor #(
    parameter Folder = "."
) (
    input  logic        clk_i,
    input  logic [31:0] board_cycle_i,
    // Reset of the frames: the board's, and while memories are loaded.
    input  logic        rst_i,
    output logic [31:0] cycle_o
);
  string work;
  integer file;
  logic started_q;

  initial begin
    if (!$value$plusargs("work=%s", work)) work = ".";
    file = $fopen({work, "/", Folder, "/startup"}, "w");
    if (file == 0) $fatal(1, "load_monitor: cannot write to %s/%s", work, Folder);
    started_q = 1'b0;
  end

  always @(posedge clk_i) begin
    cycle_o <= rst_i ? '0 : cycle_o + 1;
    if (!rst_i && !started_q) begin
      started_q <= 1'b1;
      $fwrite(file, "%h\n", board_cycle_i);
    end
  end

  final $fclose(file);
endmodule
