// Fills a large_ram of 50 words of 24 bits in transfers of 16, with pauses and with transfers that are
// not its own, reads it back, and does so again after a reset with other contents. Prints "equal" or the
// first difference. Instantiates the module `dut` of that shape.
`timescale 1ns / 1ns
module large_ram_tb;
  localparam int Words = 50;
  logic clk = 0, rst = 1, turn = 0, valid = 0, loaded;
  logic [15:0] beat;
  logic [5:0] addr = 0;
  logic [23:0] data, salt;
  integer wrong = 0;

  dut ram (clk, rst, turn, valid, beat, loaded, addr, data);
  always #5 clk = ~clk;

  function [23:0] word(input integer i);
    word = (24'd40503 * i ^ (i << 17)) ^ salt;
  endfunction

  task send(input [15:0] value);
    begin
      if ($random % 3 == 0) @(negedge clk);
      valid = 1;
      beat = value;
      @(negedge clk);
      valid = 0;
      beat = 'x;
    end
  endtask

  task fill;
    integer i;
    begin
      rst = 1;
      turn = 0;
      repeat (2) @(negedge clk);
      rst = 0;
      repeat (5) send(16'hdead);
      turn = 1;
      for (i = 0; i < Words; i = i + 1) send(word(i));
      for (i = 0; i < Words; i = i + 1) begin
        if (loaded) wrong = wrong + 1;
        send(word(i) >> 16);
      end
      if (!loaded) wrong = wrong + 1;
      repeat (5) send(16'hdead);
    end
  endtask

  task read;
    integer i, place;
    for (i = 0; i < 4 * Words; i = i + 1) begin
      place = i < Words ? i : $unsigned($random) % Words;
      addr = place;
      @(negedge clk);
      if (data !== word(place)) wrong = wrong + 1;
    end
  endtask

  initial begin
    salt = 0;
    fill;
    read;
    salt = 24'hffffff;
    fill;
    read;
    if (wrong == 0) $display("equal");
    else $display("%0d differences", wrong);
    $finish;
  end
endmodule
