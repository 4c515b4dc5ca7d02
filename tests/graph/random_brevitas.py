"""Random networks of Brevitas layers, written by its own QONNX export: every seed is one network."""

from __future__ import annotations

from pathlib import Path

import brevitas.nn as qnn
import numpy as np
import torch
from brevitas import quant as q
from torch import nn

# With `dyadic`, scales are powers of two, and qonnx's float32 is exact.
WEIGHTS = {
    True: (q.Int8WeightPerTensorFixedPoint, q.Int8WeightPerChannelFixedPointMSE),
    False: (
        q.Int8WeightPerTensorFloat,
        q.Int8WeightPerChannelFloat,
        q.Int8WeightNormL2PerChannelFixedPoint,
        q.ShiftedUint8WeightPerTensorFloat,
        q.ShiftedUint8WeightPerChannelFloat,
    ),
}
SIGNED = {
    True: (q.Int8ActPerTensorFixedPoint,),
    False: (q.Int8ActPerTensorFloat, q.ShiftedUint8ActPerTensorFloat),
}
UNSIGNED = {True: q.Uint8ActPerTensorFixedPoint, False: q.Uint8ActPerTensorFloat}
BIASES = (None, q.Int8Bias, q.Int32Bias, q.Int8BiasPerTensorFloatInternalScaling)
CONSTANTS = (q.SignedBinaryWeightPerTensorConst, q.SignedTernaryWeightPerTensorConst)
PIECES = (
    "conv",
    "conv",
    "depthwise",
    "transposed",
    "residual",
    "eltwise",
    "concat",
    "inception",
    "average",
    "largest",
    "upsample",
    "flat",
)


class Residual(nn.Module):
    """body(x) + x; with `join` both on its scale."""

    def __init__(self, body: nn.Module, join: nn.Module | None, after: nn.Module) -> None:
        super().__init__()
        self.body, self.join, self.after = body, join, after

    def forward(self, x):
        y = self.body(x)
        if isinstance(self.join, qnn.QuantEltwiseAdd):
            return self.after(self.join(y, x))
        return self.after(y + x if self.join is None else self.join(y) + self.join(x))


class Beside(nn.Module):
    """Branches side by side, on one scale where there is a `join`."""

    def __init__(self, branches: list[nn.Module], join: nn.Module | None) -> None:
        super().__init__()
        self.branches, self.join = nn.ModuleList(branches), join

    def forward(self, x):
        parts = [branch(x) for branch in self.branches]
        return torch.cat([self.join(p) for p in parts] if self.join else parts, dim=1)


class RandomBrevitas:
    """Grows one `nn.Sequential`; `channels` and `size` follow."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.dyadic = seed % 2 == 0
        self.dims = int(self.rng.choice([1, 2, 2]))
        self.channels, self.size = int(self.rng.integers(1, 5)), int(self.rng.choice([6, 8]))
        self.shape = (self.channels, *[self.size] * self.dims)
        self.flat_yet = False

    def flip(self, probability: float = 0.5) -> bool:
        return bool(self.rng.random() < probability)

    def pick(self, choices):
        return choices[int(self.rng.integers(len(choices)))]

    def bits(self, low: int = 2) -> int:
        return int(self.rng.integers(low, 9))

    def weighted(self, kind: type, *sizes: int, **options) -> nn.Module:
        """A layer; behind a quantiser that tells its scale, where that of the bias follows from it."""
        chosen = self.weights()
        layer = kind(*sizes, **options, **chosen)
        if chosen.get("bias_quant") not in (q.Int8Bias, q.Int32Bias):
            return layer
        quant = SIGNED[self.dyadic][0]
        return nn.Sequential(qnn.QuantIdentity(act_quant=quant, return_quant_tensor=True), layer)

    def weights(self) -> dict:
        """Weight and bias quantisers."""
        kind = self.pick(WEIGHTS[self.dyadic])
        if self.flip(0.2):
            kind = self.pick(CONSTANTS)
            plain = self.flip() and not self.dyadic
            return {"weight_quant": kind, "weight_scaling_const": 0.125, "bias": plain}
        options = {"weight_quant": kind, "weight_bit_width": self.bits(), "bias": self.flip(0.6)}
        bias = q.Int8BiasPerTensorFixedPointInternalScaling if self.dyadic else self.pick(BIASES)
        if bias is not None and options["bias"]:
            options["bias_quant"] = bias
        return options

    def layer(self, name: str, *sizes, **options) -> nn.Module:
        return self.weighted(getattr(qnn, f"{name}{self.dims}d"), *sizes, **options)

    def act(self) -> nn.Module:
        """A quantised activation function, or a quantiser alone."""
        kind = str(self.pick(("relu", "relu", "identity", "hardtanh", "sigmoid", "tanh", "const")))
        if kind == "relu":
            return qnn.QuantReLU(act_quant=UNSIGNED[self.dyadic], bit_width=self.bits(1))
        if kind == "const":
            binary = self.flip()
            quant = q.SignedBinaryActPerTensorConst if binary else q.SignedTernaryActPerTensorConst
            return qnn.QuantIdentity(act_quant=quant, scaling_init=0.5, min_val=-1.0, max_val=1.0)
        options = {"act_quant": self.pick(SIGNED[self.dyadic]), "bit_width": self.bits()}
        if kind == "hardtanh":
            return qnn.QuantHardTanh(min_val=-1.0, max_val=1.0, **options)
        if kind in ("sigmoid", "tanh"):
            options["act_quant"] = q.Int8ActPerTensorFixedPoint
            unsigned = q.Uint8ActPerTensorFixedPoint
            if kind == "sigmoid":
                return qnn.QuantSigmoid(**options | {"act_quant": unsigned})
            return qnn.QuantTanh(**options)
        return qnn.QuantIdentity(**options)

    def one_scale(self) -> nn.Module:
        return qnn.QuantIdentity(act_quant=SIGNED[self.dyadic][0], bit_width=self.bits(3))

    def norm(self) -> nn.Module:
        """None where float32 must be exact."""
        if self.dyadic:
            return nn.Identity()
        return getattr(nn, f"BatchNorm{self.dims}d")(self.channels)

    def conv(self, rows: int | None = None, kernel: int = 3) -> nn.Module:
        rows = rows or int(self.rng.integers(1, 6))
        conv = self.layer("QuantConv", self.channels, rows, kernel, padding=kernel // 2)
        self.channels = rows
        return nn.Sequential(conv, *([self.norm()] if self.flip(0.6) else []), self.act())

    def depthwise(self) -> nn.Module:
        c = self.channels
        return nn.Sequential(self.layer("QuantConv", c, c, 3, padding=1, groups=c), self.act())

    def transposed(self) -> nn.Module:
        if self.size > 8:
            return self.conv()
        rows = int(self.rng.integers(1, 5))
        conv = self.layer("QuantConvTranspose", self.channels, rows, 2, stride=2)
        self.channels, self.size = rows, self.size * 2
        return nn.Sequential(conv, self.act())

    def residual(self) -> nn.Module:
        """A convolution with its norm, quantised or not, on a shared scale or not, plus its input."""
        c = self.channels
        body = [self.layer("QuantConv", c, c, 3, padding=1), self.norm()]
        body += [self.act()] if self.flip() else []
        join = self.one_scale() if self.flip() else None
        start = self.one_scale()
        return nn.Sequential(start, Residual(nn.Sequential(*body), join, self.act()))

    def eltwise(self) -> nn.Module:
        quant = SIGNED[self.dyadic][0]
        join = qnn.QuantEltwiseAdd(input_quant=quant, output_quant=quant, bit_width=self.bits(3))
        return Residual(self.conv(self.channels), join, nn.Identity())

    def concat(self) -> nn.Module:
        return self._beside(self.one_scale())

    def inception(self) -> nn.Module:
        return nn.Sequential(self._beside(None), self.conv())

    def _beside(self, join: nn.Module | None) -> nn.Module:
        before, branches, total = self.channels, [], 0
        for kernel in (1, 3):
            self.channels = before
            branches.append(self.conv(kernel=kernel))
            total += self.channels
        self.channels = total
        return Beside(branches, join)

    def average(self) -> nn.Module:
        """TruncAvgPool2d of quantised values, or a plain pool and a quantiser."""
        self.size //= 2
        if self.dims == 2 and self.flip():
            options = {"float_to_int_impl_type": "floor", "return_quant_tensor": False}
            pool = qnn.TruncAvgPool2d(2, bit_width=self.bits(3), **options)
            return nn.Sequential(self._quantised_tensor(), pool)
        return nn.Sequential(getattr(nn, f"AvgPool{self.dims}d")(2), self.act())

    def _quantised_tensor(self) -> nn.Module:
        quant = UNSIGNED[self.dyadic]
        return qnn.QuantReLU(act_quant=quant, bit_width=self.bits(3), return_quant_tensor=True)

    def largest(self) -> nn.Module:
        self.size //= 2
        return nn.Sequential(getattr(nn, f"MaxPool{self.dims}d")(2), self.conv())

    def upsample(self) -> nn.Module:
        if self.size > 8:
            return self.conv()
        self.size *= 2
        return nn.Sequential(nn.Upsample(scale_factor=2, mode="nearest"), self.conv())

    def flat(self) -> nn.Module:
        """The end of the pictures: from here on vectors."""
        columns = self.channels * self.size**self.dims
        self.flat_yet, self.channels = True, int(self.rng.integers(2, 8))
        return nn.Sequential(nn.Flatten(), self.linear(columns), self.act())

    def linear(self, columns: int) -> nn.Module:
        return self.weighted(qnn.QuantLinear, columns, self.channels)

    def grow(self) -> nn.Module:
        first = qnn.QuantIdentity(act_quant=SIGNED[self.dyadic][0], bit_width=8)
        parts: list[nn.Module] = [first]
        for _ in range(int(self.rng.integers(1, 4))):
            if self.flat_yet or self.size < 4:
                break
            parts.append(getattr(self, str(self.pick(PIECES)))())
        if not self.flat_yet and self.flip(0.7):
            parts.append(self.flat())
        if self.flat_yet:
            columns, self.channels = self.channels, 4
            parts.append(self.linear(columns))
        return nn.Sequential(*parts)


def export(model: nn.Module, shape: tuple[int, ...], path: Path) -> None:
    """Brevitas' QONNX file of a model, after some statistics."""
    from brevitas.export import export_qonnx

    with torch.no_grad():
        for _ in range(3):
            model(torch.randn(8, *shape))
        for module in model.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                module.weight.normal_()
                module.bias.normal_()
    model.eval()
    with torch.no_grad():
        export_qonnx(model, torch.randn(1, *shape), str(path), dynamo=False, opset_version=13)


def random_brevitas(seed: int, path: Path) -> RandomBrevitas:
    """The network of `seed`, written to `path`."""
    torch.manual_seed(seed)
    grower = RandomBrevitas(seed)
    export(grower.grow(), grower.shape, path)
    return grower
