"""Sigmoid and Tanh in front of a quantiser, and the broken line that is a hard sigmoid."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from codesign.graph.builder import Builder, Value, need_integers
from codesign.graph.chain import Clip
from codesign.graph.exact import rationals
from codesign.graph.handlers.elementwise import scaled, stepped
from codesign.graph.onnx_node import OnnxNode
from codesign.graph.smooth import SIGMOID, TANH
from codesign.graph.values import Tensor


def sigmoid(build: Builder, node: OnnxNode, x: Value) -> Tensor:
    """1/(1 + e^-x)."""
    return stepped(need_integers(node, x), SIGMOID)


def tanh(build: Builder, node: OnnxNode, x: Value) -> Tensor:
    """The hyperbolic tangent."""
    return stepped(need_integers(node, x), TANH)


def hard_sigmoid(build: Builder, node: OnnxNode, x: Value) -> Tensor:
    """min(max(alpha*x + beta, 0), 1)."""
    alpha, beta = (
        rationals(np.float32([node.attrs.get(key, default)]))
        for key, default in (("alpha", 0.2), ("beta", 0.5))
    )
    line = scaled(need_integers(node, x), alpha, beta)
    return stepped(line, Clip(Fraction(0), Fraction(1)))
