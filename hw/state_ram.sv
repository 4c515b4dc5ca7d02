// A small memory that an event reads and writes at the same address: accumulators, maxima.
//
// Timing contract: data_o is the word at addr_i of the same cycle; data_i replaces it for later cycles.
// Memory: Depth words of Width bits, not initialised; one word is a register.
// Python twin: codesign/blocks/adders.py (accumulators).
module state_ram #(
    parameter int Width = 8,
    parameter int Depth = 4,
    // 0: LUT RAM, 2: registers (for families without LUT RAM), as in ram.sv.
    parameter int Style = 0,
    localparam int AddrBits = Depth > 1 ? $clog2(Depth) : 1
) (
    input  logic                clk_i,
    input  logic                write_i,
    input  logic [AddrBits-1:0] addr_i,
    input  logic [   Width-1:0] data_i,
    output logic [   Width-1:0] data_o
);
  if (Depth < 1 || Width < 1) begin : gen_check
    $fatal(1, "state_ram: Depth and Width must be at least 1, not %0d and %0d", Depth, Width);
  end
  if (Style != 0 && Style != 2) begin : gen_check_style
    $fatal(1, "state_ram: Style must be 0 (LUT RAM) or 2 (registers), not %0d (Depth %0d)", Style,
           Depth);
  end

  if (Depth <= 1) begin : gen_register
    logic [Width-1:0] word_q;
    logic unused;
    assign unused = addr_i[0];
    always_ff @(posedge clk_i) if (write_i) word_q <= data_i;
    assign data_o = word_q;
  end else if (Style == 2) begin : gen_registers
    (* ram_style = "registers" *) logic [Width-1:0] words[Depth];
    always_ff @(posedge clk_i) if (write_i) words[addr_i] <= data_i;
    assign data_o = words[addr_i];
  end else begin : gen_lut
    (* ram_style = "distributed" *) logic [Width-1:0] words[Depth];
    always_ff @(posedge clk_i) if (write_i) words[addr_i] <= data_i;
    assign data_o = words[addr_i];
  end
endmodule
