"""The hardware of a design under Verilator against integer execution and the simulator."""
