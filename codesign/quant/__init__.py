"""Quantisers and their learned parameters; importing this package does not import torch."""

from codesign.quant.config import LayerBits, QuantConfig

__all__ = ["LayerBits", "QuantConfig"]
