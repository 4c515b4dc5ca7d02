// Test bench: writes every issue and every release of a channel inside a block to two files in Folder of
// the folder +work=.
//
// Name.issue, Name.release: a line `cycle` per token, hexadecimal with leading zeros; released_i tokens
// are released at once. Cycle 0 is the first without reset. Simulation only.
// Python twin: codesign/verify/records.py.
module inner_monitor #(
    parameter Folder = ".",
    parameter Name = ""
) (
    input logic        clk_i,
    input logic        rst_i,
    input logic [31:0] cycle_i,
    input logic        issue_i,
    input logic [31:0] released_i
);
  string work;
  integer issues, releases;

  initial begin
    if (!$value$plusargs("work=%s", work)) work = ".";
    issues   = $fopen({work, "/", Folder, "/", Name, ".issue"}, "w");
    releases = $fopen({work, "/", Folder, "/", Name, ".release"}, "w");
    if (issues == 0 || releases == 0) $fatal(1, "inner_monitor: cannot write to %s/%s", work, Folder);
  end

  always @(posedge clk_i) begin
    if (!rst_i && issue_i) $fwrite(issues, "%h\n", cycle_i);
    if (!rst_i) begin
      for (int i = 0; i < released_i; i++) $fwrite(releases, "%h\n", cycle_i);
    end
  end

  final begin
    $fclose(issues);
    $fclose(releases);
  end
endmodule
