// A value in another width: two's complement of OutBits bits, cut off where they do not suffice.
//
// Kinds of data_i: 0 unsigned, 1 and 3 two's complement, 2 bipolar (1 is +1, 0 is -1).
// Timing contract: combinational.
// Python twin: codesign/rtl/wire.py.
module extend #(
    parameter int InBits = 4,
    parameter int InKind = 1,
    parameter int OutBits = 8
) (
    input  logic [ InBits-1:0] data_i,
    output logic [OutBits-1:0] data_o
);
  if (InKind < 0 || InKind > 3 || (InKind == 2 && InBits != 1)) begin : gen_check
    $fatal(1, "extend: InKind must be 0 to 3, and 2 has 1 bit; not %0d with %0d", InKind, InBits);
  end

  if (InKind == 0) begin : gen_unsigned
    assign data_o = OutBits'(data_i);
  end else if (InKind == 2) begin : gen_bipolar
    assign data_o = data_i[0] ? OutBits'(1) : {OutBits{1'b1}};
  end else begin : gen_signed
    assign data_o = OutBits'($signed(data_i));
  end
endmodule
