// A memory with one write port and one read port with a registered output.
//
// Timing contract: a word written in cycle t is read by an address of cycle t + 1 on; data_o in
// cycle t + 1 is the word at raddr_i of cycle t.
// Not guaranteed: the word read when both ports have the same address in the same cycle.
// Memory: Depth words of Width bits, not initialised.
// Python twin: codesign/blocks/memories.py (buffer).
module ram #(
    parameter int Width = 8,
    parameter int Depth = 16,
    // 0: LUT RAM, 1: block RAM, 2: registers (for families without LUT RAM).
    parameter int Style = 0,
    localparam int AddrBits = Depth > 1 ? $clog2(Depth) : 1
) (
    input  logic                clk_i,
    input  logic                write_i,
    input  logic [AddrBits-1:0] waddr_i,
    input  logic [   Width-1:0] data_i,
    input  logic [AddrBits-1:0] raddr_i,
    output logic [   Width-1:0] data_o
);
  if (Style < 0 || Style > 2) begin : gen_check
    $fatal(1, "ram: Style must be 0 (LUT RAM), 1 (block RAM) or 2 (registers), not %0d (Depth %0d)",
           Style, Depth);
  end

  if (Style == 1) begin : gen_block
    (* ram_style = "block" *) logic [Width-1:0] words[Depth];
    always_ff @(posedge clk_i) begin
      if (write_i) words[waddr_i] <= data_i;
      data_o <= words[raddr_i];
    end
  end else if (Style == 2) begin : gen_registers
    (* ram_style = "registers" *) logic [Width-1:0] words[Depth];
    always_ff @(posedge clk_i) begin
      if (write_i) words[waddr_i] <= data_i;
      data_o <= words[raddr_i];
    end
  end else begin : gen_lut
    (* ram_style = "distributed" *) logic [Width-1:0] words[Depth];
    always_ff @(posedge clk_i) begin
      if (write_i) words[waddr_i] <= data_i;
      data_o <= words[raddr_i];
    end
  end
endmodule
