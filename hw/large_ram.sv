// A memory without initial contents (UltraRAM, SPRAM), filled at start-up, then read only.
//
// Formula: the word is cut into columns of LoadBits bits, the low bits first, the last may be narrower.
// Transfers fill column 0 from word 0 to word Depth - 1, then column 1, and so on; a column takes the
// low bits of its transfers.
//
// Timing contract: load_valid_i is a transfer of load_data_i; the memory takes those that come while
// turn_i is high and loaded_o is low, any number of cycles apart, and ignores all others. loaded_o is a
// register that rises in the cycle behind the last of them, cycle t. From t + 2 on it is a rom.sv: data_o
// in the next cycle is the word at addr_i. The memory has one port: before, data_o is not defined.
// load_valid_i must be low during reset.
// Memory: a RAM of Depth words a column; ram_style asks for the family's large kind.
// Python twin: codesign/blocks/memories.py (loaded), codesign/rtl/large.py.
module large_ram #(
    parameter int Width = 16,
    parameter int Depth = 16,
    // Bits of a transfer that are stored: the width of the memory kind.
    parameter int LoadBits = 72,
    localparam int AddrBits = Depth > 1 ? $clog2(Depth) : 1
) (
    input  logic                clk_i,
    // Of the loading alone: the contents stay, and are written again.
    input  logic                rst_i,
    input  logic                turn_i,
    input  logic                load_valid_i,
    input  logic [LoadBits-1:0] load_data_i,
    output logic                loaded_o,
    input  logic [AddrBits-1:0] addr_i,
    output logic [   Width-1:0] data_o
);
  if (Width < 1 || Depth < 1 || LoadBits < 1) begin : gen_check
    $fatal(1, "large_ram: Width, Depth, LoadBits must be >= 1, not %0d, %0d, %0d", Width, Depth,
           LoadBits);
  end

  localparam int Columns = (Width + LoadBits - 1) / LoadBits;

  // One-hot: the column that the next transfer belongs to.
  logic [Columns-1:0] column_q;
  logic [AddrBits-1:0] word_q;
  logic take, last;

  assign take = load_valid_i && turn_i && !loaded_o;
  assign last = word_q == AddrBits'(Depth - 1);

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      column_q <= Columns'(1);
      word_q   <= '0;
      loaded_o <= 1'b0;
    end else if (take) begin
      if (last) column_q <= column_q << 1;
      word_q   <= last ? '0 : word_q + 1'b1;
      loaded_o <= last && column_q[Columns-1];
    end
  end

  // The transfer is kept for a cycle, so that the stream may come from far away.
  logic loading_q;
  logic [Columns-1:0] write_q;
  logic [AddrBits-1:0] write_word_q, address;
  logic [LoadBits-1:0] data_q;
  always_ff @(posedge clk_i) begin
    loading_q <= !loaded_o;
    write_q <= take ? column_q : '0;
    write_word_q <= word_q;
    data_q <= load_data_i;
  end
  assign address = loading_q ? write_word_q : addr_i;

  for (genvar c = 0; c < Columns; c++) begin : gen_column
    localparam int Low = c * LoadBits;
    localparam int Bits = Width - Low < LoadBits ? Width - Low : LoadBits;
    (* ram_style = "ultra" *) logic [Bits-1:0] words[Depth];
    logic [Bits-1:0] read_q;
    always_ff @(posedge clk_i) begin
      if (write_q[c]) words[address] <= data_q[Bits-1:0];
      else read_q <= words[address];
    end
    assign data_o[Low+:Bits] = read_q;
  end

  if (Width < LoadBits) begin : gen_narrow
    logic unused;
    assign unused = ^data_q[LoadBits-1:Width];
  end
endmodule
