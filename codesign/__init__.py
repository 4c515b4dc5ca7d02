"""From a quantised neural network to a proven streaming accelerator for a named FPGA board."""

__version__ = "0.1.0"
