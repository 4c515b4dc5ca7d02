// A read-only memory with a registered output.
//
// Timing contract: data_o in cycle t + 1 is the word at addr_i of cycle t.
// Memory: Depth words of Width bits, word 0 first in InitFile (hexadecimal, one word a line, a
// newline behind the last); 0 without a file.
// Python twin: codesign/blocks/memories.py (parameters).
module rom #(
    parameter int Width = 8,
    parameter int Depth = 16,
    // 0: LUTs; 1: block RAM.
    parameter int Style = 0,
    parameter InitFile = "",
    localparam int AddrBits = Depth > 1 ? $clog2(Depth) : 1
) (
    input  logic                clk_i,
    input  logic [AddrBits-1:0] addr_i,
    output logic [   Width-1:0] data_o
);
  if (Style != 0 && Style != 1) begin : gen_check
    $fatal(1, "rom: Style must be 0 (LUTs) or 1 (block RAM), not %0d (Depth %0d)", Style, Depth);
  end

  if (Style == 1) begin : gen_block
    (* rom_style = "block", ram_style = "block" *) logic [Width-1:0] words[Depth];
    if (InitFile != "") begin : gen_file
      initial $readmemh(InitFile, words);
    end else begin : gen_zero
      initial for (int i = 0; i < Depth; i++) words[i] = '0;
    end
    always_ff @(posedge clk_i) data_o <= words[addr_i];
  end else begin : gen_lut
    (* rom_style = "logic", ram_style = "logic" *) logic [Width-1:0] words[Depth];
    if (InitFile != "") begin : gen_file
      initial $readmemh(InitFile, words);
    end else begin : gen_zero
      initial for (int i = 0; i < Depth; i++) words[i] = '0;
    end
    always_ff @(posedge clk_i) data_o <= words[addr_i];
  end
endmodule
