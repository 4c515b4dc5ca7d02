// Test bench: takes beats, paced by the file sink.txt in Folder of the folder +work=.
//
// Each line holds a gap in cycles (>= 1), hexadecimal: a beat is taken in the first cycle in which it
// is there and `gap` cycles have passed since the beat before (reset counts as a beat in cycle -1).
// With +ready=SEED, SEED > 0, `axis_tready_o` is instead a pseudo-random bit of each cycle, whatever
// is there. Simulation only. Python twin: codesign/sim/host.py (host_sink).
module axis_sink #(
    parameter Folder = "."
) (
    input  logic        clk_i,
    input  logic        rst_i,
    input  logic        axis_tvalid_i,
    output logic        axis_tready_o
);
  string work;
  integer file, fields;
  logic [31:0] seed, gap, wait_q, random_q;

  initial begin
    if (!$value$plusargs("work=%s", work)) work = ".";
    if (!$value$plusargs("ready=%d", seed)) seed = 0;
    file = $fopen({work, "/", Folder, "/sink.txt"}, "r");
    if (file == 0) $fatal(1, "axis_sink: %s/%s/sink.txt cannot be read", work, Folder);
    fields = $fscanf(file, "%h", gap);
  end

  assign axis_tready_o = !rst_i && (seed == 0 ? wait_q == 0 : random_q[0]);

  // Without a further line nothing more is taken.
  always @(posedge clk_i) begin
    if (axis_tvalid_i && axis_tready_o) fields = $fscanf(file, "%h", gap);
    if (rst_i || (axis_tvalid_i && axis_tready_o)) wait_q <= fields == 1 ? gap - 1 : '1;
    else if (wait_q != 0) wait_q <= wait_q - 1;
    random_q <= rst_i ? seed : xorshift(random_q);
  end

  function automatic logic [31:0] xorshift(input logic [31:0] x);
    xorshift = x ^ (x << 13);
    xorshift = xorshift ^ (xorshift >> 17);
    xorshift = xorshift ^ (xorshift << 5);
  endfunction
endmodule
