// A memory without initial contents (UltraRAM, SPRAM), filled at start-up, then read only.
//
// Formula: words of at most half a transfer share a row, as many as fit of 1, 2, 4, ..., the first in the
// low bits; otherwise a row is one word. It is cut into columns of LoadBits bits, the low bits first, the
// last may be narrower. Transfers fill column 0 from row 0 to the last, then column 1, and so on; a column
// takes the low bits of its transfers.
//
// Timing contract: load_valid_i is a transfer of load_data_i; the memory takes those that come while
// turn_i is high and loaded_o is low, any number of cycles apart, and ignores all others. loaded_o is a
// register that rises in the cycle behind the last of them, cycle t. From t + 2 on it is a rom.sv: data_o
// in the next cycle is the word at addr_i. The memory has one port: before, data_o is not defined.
// load_valid_i must be low during reset.
// Memory: a RAM of all rows a column; ram_style asks for the family's large kind.
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

  localparam int Fit = LoadBits >= 2 * Width ? $clog2(LoadBits / Width + 1) - 1 : 0;
  localparam int SelectBits = Depth == 1 ? 0 : Fit < AddrBits ? Fit : AddrBits;
  localparam int Rows = (Depth + (1 << SelectBits) - 1) >> SelectBits;
  localparam int RowBits = Width << SelectBits;
  localparam int PlaceBits = Rows > 1 ? $clog2(Rows) : 1;
  localparam int Columns = (RowBits + LoadBits - 1) / LoadBits;

  // One-hot: the column that the next transfer belongs to.
  logic [Columns-1:0] column_q;
  logic [PlaceBits-1:0] place_q;
  logic take, last;

  assign take = load_valid_i && turn_i && !loaded_o;
  assign last = place_q == PlaceBits'(Rows - 1);

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      column_q <= Columns'(1);
      place_q  <= '0;
      loaded_o <= 1'b0;
    end else if (take) begin
      if (last) column_q <= column_q << 1;
      place_q  <= last ? '0 : place_q + 1'b1;
      loaded_o <= last && column_q[Columns-1];
    end
  end

  // The transfer is kept for a cycle, so that the stream may come from far away.
  logic loading_q;
  logic [Columns-1:0] write_q;
  logic [PlaceBits-1:0] write_place_q, address;
  logic [LoadBits-1:0] data_q;
  always_ff @(posedge clk_i) begin
    loading_q <= !loaded_o;
    write_q <= take ? column_q : '0;
    write_place_q <= place_q;
    data_q <= load_data_i;
  end
  assign address = loading_q ? write_place_q : PlaceBits'(addr_i >> SelectBits);

  logic [RowBits-1:0] row;

  for (genvar c = 0; c < Columns; c++) begin : gen_column
    localparam int Low = c * LoadBits;
    localparam int Bits = RowBits - Low < LoadBits ? RowBits - Low : LoadBits;
    (* ram_style = "ultra" *) logic [Bits-1:0] rows[Rows];
    logic [Bits-1:0] read_q;
    always_ff @(posedge clk_i) begin
      if (write_q[c]) rows[address] <= data_q[Bits-1:0];
      else read_q <= rows[address];
    end
    assign row[Low+:Bits] = read_q;
  end

  if (SelectBits > 0) begin : gen_select
    logic [SelectBits-1:0] select_q;
    always_ff @(posedge clk_i) select_q <= addr_i[SelectBits-1:0];
    assign data_o = row[32'(select_q)*Width+:Width];
  end else begin : gen_whole
    assign data_o = row;
  end

  if (RowBits < LoadBits) begin : gen_narrow
    logic unused;
    assign unused = ^data_q[LoadBits-1:RowBits];
  end
endmodule
