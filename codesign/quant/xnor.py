"""XNOR-Net: the sign of weights times the mean size of their filter."""

from __future__ import annotations

import torch
from torch import Tensor

from codesign.quant.bipolar import BipolarQuantiser


class XnorFunction(torch.autograd.Function):
    """a sgn(W); dW = dW~ (1/n + a 1[|W| <= 1]) with n the weights that share a."""

    @staticmethod
    def forward(ctx, x: Tensor, scale: Tensor) -> Tensor:
        ctx.save_for_backward(x, scale)
        return torch.where(x >= 0, scale, -scale)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, None]:
        x, scale = ctx.saved_tensors
        shared = x.numel() / scale.numel()
        return grad * (1 / shared + scale * (x.abs() <= 1)), None


class XnorQuantiser(BipolarQuantiser):
    """W~ = a sgn(W) with a = mean|W| of each filter, and the published gradient of it.

    "XNOR-Net" (Rastegari et al., ECCV 2016): dW = dW~ (1/n + a 1[|W| <= 1]). With `binary_act` =
    "bipolar" activations are signs, too. The paper's scale of binary inputs, the local mean |I|, is
    left out: it would be a product of real numbers for every output pixel, and the authors found it
    to matter far less than a. The last layer has one a, as all layers have of codesign.
    """

    def quantise(self, x: Tensor) -> Tensor:
        return XnorFunction.apply(x, self.scale(x))
