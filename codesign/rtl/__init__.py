"""The design as SystemVerilog: instances, the top, and the bits on wires."""
