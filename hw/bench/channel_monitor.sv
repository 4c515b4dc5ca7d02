// Test bench: writes every issue and every release of one channel to two files in Folder of the folder
// +work=.
//
// Name.issue: a line `cycle` per token issued; Name.release: a line `cycle data` per token released;
// hexadecimal with leading zeros. Cycle 0 is the first without reset. Simulation only.
// Python twin: codesign/verify/records.py.
module channel_monitor #(
    parameter int Width = 8,
    parameter Folder = ".",
    parameter Name = ""
) (
    input logic             clk_i,
    input logic             rst_i,
    input logic [     31:0] cycle_i,
    input logic             issue_i,
    input logic             release_i,
    input logic [Width-1:0] data_i
);
  string work;
  integer issues, releases;

  initial begin
    if (!$value$plusargs("work=%s", work)) work = ".";
    issues   = $fopen({work, "/", Folder, "/", Name, ".issue"}, "w");
    releases = $fopen({work, "/", Folder, "/", Name, ".release"}, "w");
    if (issues == 0 || releases == 0)
      $fatal(1, "channel_monitor: cannot write to %s/%s", work, Folder);
  end

  always @(posedge clk_i) begin
    if (!rst_i && issue_i) $fwrite(issues, "%h\n", cycle_i);
    if (!rst_i && release_i) $fwrite(releases, "%h %h\n", cycle_i, data_i);
  end

  final begin
    $fclose(issues);
    $fclose(releases);
  end
endmodule
