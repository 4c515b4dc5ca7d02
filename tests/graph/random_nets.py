"""Random quantised networks, written node by node: every seed is one network.

`dyadic` networks have scales, biases and thresholds that are small multiples of powers of two, so
that qonnx's float32 is exact in them and must agree without exception.
"""

from __future__ import annotations

import numpy as np

from tests.graph.nets import QONNX, Net

ROUNDINGS = ("ROUND", "FLOOR", "CEIL", "UP", "DOWN", "HALF_UP", "HALF_DOWN")
# How fine a quantiser at the input can be, and how many layers follow.
MAX_LAYERS = 4


class RandomNet:
    """Grows one network: `x` is the tensor so far, `shape` its shape without the batch axis."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.dyadic = seed % 2 == 0
        self.rank = int(self.rng.choice([0, 1, 2, 2]))
        channels = int(self.rng.integers(1, 5))
        sizes = [int(v) for v in self.rng.integers(5, 9, self.rank)]
        self.shape = (channels * 4,) if self.rank == 0 else (channels, *sizes)
        self.net = Net((1, *self.shape))
        self.x = "x"
        self.kinds: list[str] = []

    def flip(self, probability: float = 0.5) -> bool:
        return bool(self.rng.random() < probability)

    def pick(self, *choices: object) -> object:
        return choices[int(self.rng.integers(len(choices)))]

    def scale(self, about: float, shape: tuple[int, ...] = ()) -> np.ndarray:
        """Positive scales near `about`."""
        if self.dyadic:
            exponent = round(np.log2(about))
            return np.float32(2.0) ** (exponent + self.rng.integers(-1, 2, shape)).astype(float)
        return self.rng.uniform(0.6, 1.6, shape) * about

    def values(self, about: float, shape: tuple[int, ...]) -> np.ndarray:
        """Constants of both signs, none of them 0."""
        if self.dyadic:
            unit = 2.0 ** round(np.log2(about / 4))
            drawn = self.rng.integers(1, 9, shape) * self.rng.choice([-1, 1], shape)
            return unit * drawn.astype(float)
        return self.rng.normal(0, about, shape)

    def column(self, channels: int) -> tuple[int, ...]:
        """Shape of a constant per channel."""
        return (1, channels, *(1,) * (len(self.shape) - 1))

    def quantise(self, about: float = 1.0, bits: int | None = None) -> None:
        """A quantiser whose range covers about +-2*`about`."""
        kind = self.pick("quant", "quant", "quant", "quant", "bipolar", "thresholds")
        kind = "quant" if bits else kind
        self.kinds.append(kind)
        getattr(self, f"_{kind}")(about, bits or int(self.rng.integers(1, 9)))

    def _quant(self, about: float, bits: int) -> None:
        signed = int(bits > 1 and self.flip(0.6))
        zero = 0.0
        if bits > 2 and self.flip(0.2):
            zero = float(self.rng.integers(-2, 5))
        scale = self.scale(4 * about / 2**bits)
        narrow = int(signed and self.flip(0.3))
        mode = "ROUND" if self.flip(0.6) else str(self.pick(*ROUNDINGS))
        self.x = self.net.quant(self.x, scale, bits, zero, signed, narrow, mode)

    def _bipolar(self, about: float, bits: int) -> None:
        scale = self.net.const(np.float32(self.scale(about)))
        self.x = self.net.node("BipolarQuant", self.x, scale, domain=QONNX)

    def _thresholds(self, about: float, bits: int) -> None:
        channels = self.shape[0] if self.flip() else 1
        count = 2 ** min(bits, 4) - 1
        table = np.sort(self.values(about, (channels, count)), axis=1)
        scale = float(self.pick(0.5, 1.0, 2.0)) if self.dyadic else float(self.rng.uniform(0.3, 2))
        self.x = self.net.node(
            "MultiThreshold",
            self.x,
            self.net.const(table),
            domain=QONNX,
            out_dtype=f"INT{min(bits, 4) + 1}",
            out_scale=scale,
            out_bias=-scale * int(self.rng.integers(0, count + 1)),
            data_layout={1: "NC", 2: "NCW", 3: "NCHW"}[len(self.shape)],
        )

    def weight(self, shape: tuple[int, ...], out_axis: int = 0) -> str:
        """A quantised weight; per tensor or per output channel, sometimes bipolar, asymmetric."""
        raw = self.net.const(self.rng.normal(size=shape))
        bits = int(self.rng.integers(1, 9))
        wide = [1] * len(shape)
        if self.flip():
            wide[out_axis] = shape[out_axis]
        scale = self.scale(2.0 ** (2 - bits) / 2, tuple(wide))
        if bits == 1:
            return self.net.node("BipolarQuant", raw, self.net.const(scale), domain=QONNX)
        if self.flip(0.15):
            zero = float(self.rng.integers(0, 2**bits))
            return self.net.quant(raw, scale, bits, zero, signed=0)
        return self.net.quant(raw, scale, bits, narrow=int(self.flip()))

    def conv(self) -> None:
        """Dense, grouped or depthwise, with stride, padding and dilation where they fit."""
        channels, sizes = self.shape[0], self.shape[1:]
        kernel = [int(self.rng.integers(1, min(4, s) + 1)) for s in sizes]
        dilation = [
            int(self.pick(1, 1, 2)) if (k - 1) * 2 < s else 1 for k, s in zip(kernel, sizes)
        ]
        stride = [int(self.pick(1, 1, 2)) for _ in sizes]
        padded = self.flip(0.4) and self.kinds[-1] != "thresholds"
        pads = [int(v) for v in self.rng.integers(0, 2, 2 * len(sizes)) * padded]
        group = channels if self.flip(0.25) else 1
        rows = channels if group > 1 else int(self.rng.integers(1, 7))
        inputs = [self.weight((rows, channels // group, *kernel))]
        if self.flip():
            inputs.append(self.net.const(self.values(0.5, (rows,))))
        self.x = self.net.node(
            "Conv",
            self.x,
            *inputs,
            kernel_shape=kernel,
            strides=stride,
            dilations=dilation,
            pads=pads,
            group=group,
        )
        n = len(sizes)
        spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
        self.shape = (
            rows,
            *((s + pads[i] + pads[i + n] - spans[i]) // stride[i] + 1 for i, s in enumerate(sizes)),
        )

    def dense(self) -> None:
        """Flatten and MatMul or Gemm."""
        if len(self.shape) > 1:
            self.x = self.net.node("Flatten", self.x, axis=1)
            self.shape = (int(np.prod(self.shape)),)
        columns, rows = self.shape[0], int(self.rng.integers(2, 9))
        if self.flip():
            self.x = self.net.node("MatMul", self.x, self.weight((columns, rows), 1))
        else:
            bias = self.net.const(self.values(0.5, (rows,)))
            self.x = self.net.node("Gemm", self.x, self.weight((rows, columns)), bias, transB=1)
        self.shape = (rows,)

    def batch_norm(self) -> None:
        channels = self.shape[0]
        variance = self.rng.uniform(0.2, 3, channels)
        epsilon = 1e-5
        if self.dyadic:
            variance, epsilon = 4.0 ** self.rng.integers(-1, 3, channels), 0.0
        parameters = [self.values(1.0, (channels,)) for _ in range(3)] + [variance]
        inputs = [self.net.const(p) for p in parameters]
        self.x = self.net.node("BatchNormalization", self.x, *inputs, epsilon=epsilon)

    def function(self) -> None:
        """An elementwise function or constant."""
        channels = self.shape[0]
        kind = str(self.pick("Relu", "Clip", "LeakyRelu", "Mul", "Add", "Sub", "Div", "Identity"))
        if kind == "Clip":
            bounds = [self.net.const(np.float32(v)) for v in (-1.0, 1.5)]
            self.x = self.net.node("Clip", self.x, *bounds)
        elif kind == "LeakyRelu":
            self.x = self.net.node(kind, self.x, alpha=0.125 if self.dyadic else 0.1)
        elif kind in ("Mul", "Add", "Sub", "Div"):
            shape = self.column(channels) if self.flip() else ()
            drawn = self.values(1.0, shape)
            if kind == "Div":
                drawn = self.scale(1.0, shape)
            self.x = self.net.node(kind, self.x, self.net.const(np.asarray(drawn, np.float32)))
        else:
            self.x = self.net.node(kind, self.x)

    def pool(self) -> None:
        """The largest or the average over small windows, or over the whole picture."""
        sizes = self.shape[1:]
        if min(sizes) < 2 or self.flip(0.15):
            self.x = self.net.node("GlobalAveragePool", self.x)
            self.shape = (self.shape[0], *(1,) * len(sizes))
        else:
            kind = "MaxPool" if self.flip() else "AveragePool"
            attrs = {"kernel_shape": [2] * len(sizes), "strides": [2] * len(sizes)}
            self.x = self.net.node(kind, self.x, **attrs)
            self.shape = (self.shape[0], *(s // 2 for s in sizes))
            if kind == "MaxPool":
                return
        self.quantise(0.7)

    def residual(self) -> None:
        """Two branches on scales whose ratio is a small integer (exactly, in float32), added."""
        scale, bits = self.scale(0.25), int(self.rng.integers(2, 6))
        start = self.net.quant(self.x, scale, bits)
        self.x = start
        self.function()
        ratio = int(self.pick(1, 1, 2, 3)) if self.dyadic else int(self.pick(1, 2, 4))
        left = self.net.quant(self.x, scale * ratio, bits)
        self.x = self.net.node(str(self.pick("Add", "Sub")), left, start)

    def layer(self) -> None:
        """Linear layer, functions, quantiser, perhaps a pool."""
        spatial = len(self.shape) > 1
        if spatial and self.flip(0.75):
            self.conv()
        else:
            self.dense()
        if self.flip(0.4):
            self.batch_norm()
        for _ in range(int(self.rng.integers(0, 3))):
            self.function()
        self.quantise()
        if len(self.shape) > 1 and self.flip(0.4):
            self.pool()
        if self.flip(0.3):
            self.residual()
            self.quantise()

    def grow(self) -> Net:
        """The whole network; the output is a quantiser's or a last product's."""
        self.quantise(1.0, bits=int(self.rng.integers(2, 9)))
        for _ in range(int(self.rng.integers(1, MAX_LAYERS + 1))):
            self.layer()
        if self.flip(0.7):
            self.dense()
        return self.net


def random_net(seed: int) -> RandomNet:
    """The network of `seed`, grown."""
    net = RandomNet(seed)
    net.grow()
    return net
