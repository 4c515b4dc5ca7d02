// Counts rows that lie in Banks banks in turn, Slots rows in each: the bank and the slot of a row.
//
// Formula: row n is in bank n % Banks, slot n / Banks % Slots; it starts at First and moves by Step, or
// by Leap.
// Timing contract: step_i moves the row of the next cycle, by Leap where leap_i is high, too.
// Python twin: codesign/blocks/window_parallel.py (Banks).
module bank_counter #(
    parameter int Banks = 3,
    parameter int Slots = 2,
    parameter int First = 0,
    parameter int Step = 1,
    parameter int Leap = 3,
    localparam int BankBits = Banks > 1 ? $clog2(Banks) : 1,
    localparam int SlotBits = Slots > 1 ? $clog2(Slots) : 1
) (
    input  logic                clk_i,
    input  logic                rst_i,
    input  logic                step_i,
    input  logic                leap_i,
    output logic [BankBits-1:0] bank_o,
    output logic [SlotBits-1:0] slot_o
);
  if (Banks < 1 || Slots < 1 || First < 0 || Step < 0 || Leap < 0) begin : gen_check
    $fatal(1, "bank_counter: Banks and Slots must be >= 1, the others >= 0, not %0d, %0d", Banks,
           Slots);
  end

  // Sums of two places below their moduli, and a carry.
  localparam int BankSumBits = $clog2(2 * Banks + 1);
  localparam int SlotSumBits = $clog2(2 * Slots + 1);
  logic [BankSumBits-1:0] bank_sum;
  logic [SlotSumBits-1:0] slot_sum;
  logic carries;
  assign bank_sum = BankSumBits'(bank_o) +
      (leap_i ? BankSumBits'(Leap % Banks) : BankSumBits'(Step % Banks));
  assign carries = bank_sum >= BankSumBits'(Banks);
  assign slot_sum = SlotSumBits'(slot_o) + SlotSumBits'(carries) +
      (leap_i ? SlotSumBits'(Leap / Banks % Slots) : SlotSumBits'(Step / Banks % Slots));

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      bank_o <= BankBits'(First % Banks);
      slot_o <= SlotBits'(First / Banks % Slots);
    end else if (step_i) begin
      bank_o <= BankBits'(carries ? bank_sum - BankSumBits'(Banks) : bank_sum);
      slot_o <= SlotBits'(slot_sum >= SlotSumBits'(Slots) ? slot_sum - SlotSumBits'(Slots) :
                              slot_sum);
    end
  end
endmodule
