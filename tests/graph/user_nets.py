"""Networks as users build them with Brevitas, small enough for a test.

Some share a quantiser between the inputs of a sum, as Brevitas advises; most do not.
"""

from __future__ import annotations

import brevitas.nn as qnn
import torch
from brevitas import quant as q
from torch import nn


def conv(inputs: int, outputs: int, kernel: int = 3, bits: int = 4, dims: int = 2, **options):
    """A convolution without bias, weights per channel; one bit is bipolar."""
    weight = {"weight_quant": q.Int8WeightPerChannelFloat, "weight_bit_width": bits}
    if bits == 1:
        weight = {"weight_quant": q.SignedBinaryWeightPerTensorConst}
    options = {"padding": kernel // 2, "bias": False} | weight | options
    return getattr(qnn, f"QuantConv{dims}d")(inputs, outputs, kernel, **options)


def unit(inputs: int, outputs: int, kernel: int = 3, bits: int = 4, dims: int = 2, **options):
    """Convolution, batch norm, quantised ReLU of as many bits, at least two."""
    norm = nn.BatchNorm1d if dims == 1 else nn.BatchNorm2d
    layer = conv(inputs, outputs, kernel, bits, dims, **options)
    return nn.Sequential(layer, norm(outputs), qnn.QuantReLU(bit_width=max(bits, 2)))


def dense(inputs: int, outputs: int, bits: int = 4) -> nn.Module:
    return qnn.QuantLinear(inputs, outputs, bias=True, weight_bit_width=bits)


class BasicBlock(nn.Module):
    """Two convolutions and a shortcut: the sum of batch norm and activation, as in torchvision."""

    def __init__(self, inputs: int, outputs: int, stride: int, bits: int) -> None:
        super().__init__()
        self.first = unit(inputs, outputs, bits=bits, stride=stride)
        self.second = nn.Sequential(conv(outputs, outputs, bits=bits), nn.BatchNorm2d(outputs))
        self.shortcut = nn.Identity()
        if stride > 1 or inputs != outputs:
            layer = conv(inputs, outputs, 1, bits, stride=stride)
            self.shortcut = nn.Sequential(layer, nn.BatchNorm2d(outputs))
        self.relu = qnn.QuantReLU(bit_width=max(bits, 2))

    def forward(self, x):
        return self.relu(self.second(self.first(x)) + self.shortcut(x))


def resnet(blocks: int, bits: int, width: int = 4) -> nn.Module:
    """ResNet of 6*blocks + 2 layers for CIFAR-10 (arXiv:1512.03385), `width` channels wide."""
    layers: list[nn.Module] = [qnn.QuantIdentity(bit_width=8), unit(3, width, bits=8)]
    inputs = width
    for stage in range(3):
        for i in range(blocks):
            outputs, stride = width << stage, 2 if stage and not i else 1
            layers.append(BasicBlock(inputs, outputs, stride, bits))
            inputs = outputs
    tail = [nn.AdaptiveAvgPool2d(1), qnn.QuantIdentity(), nn.Flatten(), dense(inputs, 10, 8)]
    return nn.Sequential(*layers, *tail)


class Inception(nn.Module):
    """Four branches side by side, every one on its own scale."""

    def __init__(self) -> None:
        super().__init__()
        self.start = nn.Sequential(qnn.QuantIdentity(), unit(3, 8))
        self.one, self.three = unit(8, 4, 1), nn.Sequential(unit(8, 2, 1), unit(2, 4))
        self.five = nn.Sequential(unit(8, 2, 1), unit(2, 4, 5))
        self.pool = nn.Sequential(nn.MaxPool2d(3, 1, 1), unit(8, 4, 1))
        self.end = nn.Sequential(nn.MaxPool2d(2), unit(16, 8), nn.Flatten(), dense(8 * 64, 10))

    def forward(self, x):
        x = self.start(x)
        parts = [branch(x) for branch in (self.one, self.three, self.five, self.pool)]
        return self.end(torch.cat(parts, dim=1))


class UNet(nn.Module):
    """Two levels down and up again, by transposed convolutions; skips on the scales they have."""

    def __init__(self) -> None:
        super().__init__()
        self.start = nn.Sequential(qnn.QuantIdentity(), unit(3, 4))
        self.down1 = nn.Sequential(nn.MaxPool2d(2), unit(4, 8))
        self.down2 = nn.Sequential(nn.MaxPool2d(2), unit(8, 8))
        self.up2, self.mix2 = self._up(8, 8), unit(16, 8)
        self.up1, self.mix1 = self._up(8, 4), unit(8, 4)
        self.end = nn.Sequential(conv(4, 2, 1), qnn.QuantIdentity())

    @staticmethod
    def _up(inputs: int, outputs: int) -> nn.Module:
        layer = qnn.QuantConvTranspose2d(inputs, outputs, 2, stride=2, weight_bit_width=4)
        return nn.Sequential(layer, qnn.QuantReLU(bit_width=4))

    def forward(self, x):
        a = self.start(x)
        b = self.down1(a)
        y = self.mix2(torch.cat([self.up2(self.down2(b)), b], dim=1))
        return self.end(self.mix1(torch.cat([self.up1(y), a], dim=1)))


class InvertedResidual(nn.Module):
    """MobileNetV2's block (arXiv:1801.04381): expand, depthwise, project, and the shortcut."""

    def __init__(self, channels: int, bits: int) -> None:
        super().__init__()
        wide = 3 * channels
        self.body = nn.Sequential(
            unit(channels, wide, 1, bits),
            unit(wide, wide, 3, bits, groups=wide),
            conv(wide, channels, 1, bits),
            nn.BatchNorm2d(channels),
            qnn.QuantIdentity(bit_width=bits),
        )
        self.join = qnn.QuantIdentity(bit_width=bits)

    def forward(self, x):
        return self.join(x + self.body(x))


class Attention(nn.Module):
    """The position-wise layers of a mixer: dense layers over the last axis, channels last."""

    def __init__(self) -> None:
        super().__init__()
        self.start = qnn.QuantIdentity()
        self.mix = nn.Sequential(dense(3, 8), qnn.QuantReLU(bit_width=4), dense(8, 3))
        self.join = qnn.QuantIdentity(bit_width=6)

    def forward(self, x):
        x = self.start(x).permute(0, 2, 3, 1)
        return self.join(self.mix(x)) + self.join(x)


def mobilenet() -> nn.Module:
    blocks = [InvertedResidual(6, 3), InvertedResidual(6, 3)]
    head = [nn.AvgPool2d(4), qnn.QuantIdentity(bit_width=4), nn.Flatten(), dense(24, 10)]
    return nn.Sequential(qnn.QuantIdentity(), unit(3, 6, bits=3, stride=2), *blocks, *head)


def keywords() -> nn.Module:
    """A 1-D network over sound: strided, dilated and depthwise convolutions."""
    return nn.Sequential(
        qnn.QuantIdentity(),
        unit(1, 8, 9, dims=1, stride=4),
        unit(8, 8, 3, dims=1, groups=8),
        unit(8, 12, 1, dims=1),
        unit(12, 12, 3, dims=1, dilation=2, padding=2),
        nn.AdaptiveAvgPool1d(1),
        qnn.QuantIdentity(),
        nn.Flatten(),
        dense(12, 12),
    )


def autoencoder() -> nn.Module:
    """Down to eight numbers and up again; the output is a picture."""
    up = qnn.QuantConvTranspose2d(4, 3, 4, stride=2, padding=1, weight_bit_width=4)
    return nn.Sequential(
        qnn.QuantIdentity(),
        unit(3, 4, stride=2),
        nn.Flatten(),
        dense(4 * 64, 8),
        qnn.QuantReLU(bit_width=4),
        dense(8, 4 * 64),
        qnn.QuantReLU(bit_width=4),
        nn.Unflatten(1, (4, 8, 8)),
        up,
        qnn.QuantSigmoid(bit_width=8),
    )


def binary_weights() -> nn.Module:
    """W1A2 with a shortcut."""
    return nn.Sequential(
        qnn.QuantIdentity(),
        unit(3, 8, bits=1),
        BasicBlock(8, 8, 1, 1),
        nn.MaxPool2d(4),
        nn.Flatten(),
        dense(128, 10, 2),
    )


PICTURE = (3, 16, 16)
NETWORKS = {
    "resnet-8": (lambda: resnet(1, 4), PICTURE),
    "resnet-20": (lambda: resnet(3, 2), PICTURE),
    "inception": (Inception, PICTURE),
    "u-net": (UNet, PICTURE),
    "mobilenet-w3a3": (mobilenet, PICTURE),
    "mixer-channels-last": (Attention, PICTURE),
    "keywords-1d": (keywords, (1, 64)),
    "autoencoder": (autoencoder, PICTURE),
    "resnet-w1a2": (binary_weights, PICTURE),
}


def written(name: str, path) -> tuple[int, ...]:
    """Write the network of this name; its input shape."""
    from tests.graph.random_brevitas import export

    torch.manual_seed(0)
    build, shape = NETWORKS[name]
    export(build(), shape, path)
    return shape
