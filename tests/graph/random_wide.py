"""Random networks of all operators: branches, decoders, groups, moved axes, class outputs.

Every seed is one network; even seeds are dyadic, as in `tests.graph.random_nets`.
"""

from __future__ import annotations

import numpy as np

from tests.graph.random_nets import RandomNet

FUNCTIONS = ("Relu", "Clip", "LeakyRelu", "Mul", "Add", "Sub", "Div", "Neg", "Identity", "Dropout")
SMOOTH = ("Sigmoid", "Tanh", "HardSigmoid")
PIECES = (
    "grouped",
    "transposed",
    "branches",
    "joined",
    "shortcut",
    "border",
    "upsampled",
    "unshuffled",
    "averaged",
    "largest",
    "channels_last",
    "unsqueezed",
    "split",
    "stepped",
    "decoder",
    "dense",
    "plain",
)


class WideNet(RandomNet):
    """Draws a few pieces from `PIECES`; each begins and ends with a quantised tensor."""

    def one_scale(self) -> str:
        """A quantiser with one scale."""
        bits = int(self.rng.integers(1, 9))
        self.kinds.append("quant")
        signed = int(bits > 1)
        self.x = self.net.quant(self.x, self.scale(4 / 2**bits), bits, signed=signed)
        return self.x

    def function(self) -> None:
        kind = str(self.pick(*FUNCTIONS))
        if kind in ("Neg", "Dropout"):
            self.x = self.net.node(kind, self.x)
        else:
            super().function()

    def finish(self) -> None:
        """Functions and a quantiser behind a linear piece; sometimes a smooth function."""
        if self.flip(0.4):
            self.batch_norm()
        for _ in range(int(self.rng.integers(0, 3))):
            self.function()
        if self.flip(0.2):
            kind = str(self.pick(*SMOOTH))
            attrs = {"alpha": 0.25, "beta": 0.5} if kind == "HardSigmoid" else {}
            self.x = self.net.node(kind, self.x, **attrs)
            self.one_scale()
        elif self.flip(0.3):
            self.quantise()
            self.one_scale()
        else:
            self.one_scale()

    def spatial(self) -> bool:
        return len(self.shape) > 1

    def _conv_of(self, group: int, rows: int, kernel: int) -> None:
        n = len(self.shape) - 1
        weight = self.weight((rows, self.shape[0] // group, *[kernel] * n))
        side = kernel // 2
        attrs = {"kernel_shape": [kernel] * n, "pads": [side] * 2 * n, "group": group}
        self.x = self.net.node("Conv", self.x, weight, **attrs)
        self.shape = (rows, *self.shape[1:])

    def plain(self) -> None:
        if self.spatial():
            self.conv()
        else:
            super().dense()
        self.finish()

    def dense(self) -> None:
        super().dense()
        self.finish()

    def grouped(self) -> None:
        """Two groups, each with more than one output."""
        if self.shape[0] % 2 or not self.spatial():
            return self.plain()
        self._conv_of(2, 2 * int(self.rng.integers(1, 4)), int(self.pick(1, 3)))
        return self.finish()

    def transposed(self) -> None:
        """ConvTranspose with stride, padding, dilation or output padding, perhaps in groups."""
        if not self.spatial() or max(self.shape[1:]) > 10:
            return self.plain()
        n, channels = len(self.shape) - 1, self.shape[0]
        group = channels if self.flip(0.2) else 1
        per_group = 1 if group > 1 else int(self.rng.integers(1, 5))
        kernel, stride = int(self.pick(2, 3)), int(self.pick(1, 2, 2))
        extra = stride - 1 if self.flip(0.3) else 0
        pad = 1 if self.flip(0.4) and min(self.shape[1:]) > 1 else 0
        weight = self.weight((channels, per_group, *[kernel] * n), 1 if group == 1 else 0)
        inputs = [weight]
        if self.flip():
            inputs.append(self.net.const(self.values(0.5, (per_group * group,))))
        self.x = self.net.node(
            "ConvTranspose",
            self.x,
            *inputs,
            kernel_shape=[kernel] * n,
            strides=[stride] * n,
            pads=[pad] * 2 * n,
            output_padding=[extra] * n,
            group=group,
        )
        sizes = [(s - 1) * stride + kernel - 2 * pad + extra for s in self.shape[1:]]
        self.shape = (per_group * group, *sizes)
        return self.finish()

    def branches(self) -> None:
        """Two or three branches on scales of their own, one behind the other (Inception)."""
        start, shape, parts, channels = self.x, self.shape, [], 0
        for _ in range(int(self.rng.integers(2, 5))):
            self.x, self.shape = start, shape
            if self.flip(0.7) and self.spatial():
                self._conv_of(1, int(self.rng.integers(1, 4)), int(self.pick(1, 3)))
            parts.append(self.one_scale())
            channels += self.shape[0]
        self.x = self.net.node("Concat", *parts, axis=1)
        self.shape = (channels, *shape[1:])
        if self.flip(0.7):
            self.plain()
        else:
            self.finish()

    def joined(self) -> None:
        """Sum or difference of two or three quantised tensors of unrelated scales."""
        start = self.one_scale()
        self.function()
        left = self.one_scale()
        kind = str(self.pick("Add", "Sub", "Sum"))
        self.x = self.net.node(kind, *((left, start) if self.flip() else (start, left)))
        if self.dyadic and self.flip(0.3):
            self.x = self.net.node("Add", self.x, start)
        self.finish()

    def shortcut(self) -> None:
        """A convolution with its batch norm, not quantised, plus what it read (ResNet)."""
        if not self.spatial():
            return self.joined()
        start = self.one_scale()
        self._conv_of(1, self.shape[0], 3)
        self.batch_norm()
        if self.flip(0.3):
            self.one_scale()
        self.x = self.net.node("Add", *((self.x, start) if self.flip() else (start, self.x)))
        return self.finish()

    def border(self) -> None:
        if not self.spatial():
            return self.plain()
        self.one_scale()
        n = len(self.shape) - 1
        pads = self.rng.integers(0, 3, 2 * n)
        both = np.concatenate([[0, 0], pads[:n], [0, 0], pads[n:]]).astype(np.int64)
        self.x = self.net.node("Pad", self.x, self.net.const(both), mode="constant")
        self.shape = (
            self.shape[0],
            *(int(s + pads[i] + pads[i + n]) for i, s in enumerate(self.shape[1:])),
        )
        return self.plain()

    def upsampled(self) -> None:
        if not self.spatial() or max(self.shape[1:]) > 10:
            return self.plain()
        factor = int(self.pick(2, 3))
        n = len(self.shape) - 1
        scales = self.net.const(np.array([1, 1, *[factor] * n], np.float32))
        attrs = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric"}
        self.x = self.net.node("Resize", self.x, "", scales, nearest_mode="floor", **attrs)
        self.shape = (self.shape[0], *(s * factor for s in self.shape[1:]))
        return self.plain()

    def unshuffled(self) -> None:
        """SpaceToDepth or DepthToSpace."""
        if self.rank != 2 or not self.spatial():
            return self.plain()
        c, h, w = self.shape
        if h % 2 == w % 2 == 0 and self.flip():
            self.x = self.net.node("SpaceToDepth", self.x, blocksize=2)
            self.shape = (4 * c, h // 2, w // 2)
        else:
            self._conv_of(1, 4, 1)
            self.one_scale()
            mode = str(self.pick("DCR", "CRD"))
            self.x = self.net.node("DepthToSpace", self.x, blocksize=2, mode=mode)
            self.shape = (1, 2 * h, 2 * w)
        return self.plain()

    def averaged(self) -> None:
        """Averages over windows, the border counted or not, or over all pixels."""
        if not self.spatial():
            return self.plain()
        n, sizes = len(self.shape) - 1, self.shape[1:]
        if min(sizes) < 3 or self.flip(0.4):
            kind = str(self.pick("GlobalAveragePool", "ReduceMean"))
            attrs = {"axes": list(range(2, n + 2)), "keepdims": 1} if kind == "ReduceMean" else {}
            self.x = self.net.node(kind, self.x, **attrs)
            self.shape = (self.shape[0], *[1] * n)
        else:
            self.one_scale()
            stride, pad = int(self.pick(1, 2)), int(self.pick(0, 0, 1))
            attrs = {"kernel_shape": [3] * n, "strides": [stride] * n, "pads": [pad] * 2 * n}
            include = int(self.flip())
            self.x = self.net.node("AveragePool", self.x, count_include_pad=include, **attrs)
            self.shape = (self.shape[0], *((s + 2 * pad - 3) // stride + 1 for s in sizes))
        return self.finish()

    def largest(self) -> None:
        """MaxPool with borders, in front of the quantiser or behind it."""
        if not self.spatial() or min(self.shape[1:]) < 3:
            return self.plain()
        n, sizes = len(self.shape) - 1, self.shape[1:]
        if self.flip():
            self._conv_of(1, int(self.rng.integers(1, 5)), 1)
        stride, pad = int(self.pick(1, 2)), int(self.pick(0, 1))
        attrs = {"kernel_shape": [3] * n, "strides": [stride] * n, "pads": [pad] * 2 * n}
        self.x = self.net.node("MaxPool", self.x, **attrs)
        self.shape = (self.shape[0], *((s + 2 * pad - 3) // stride + 1 for s in sizes))
        return self.finish()

    def channels_last(self) -> None:
        """A product over the last axis between two Transposes."""
        if not self.spatial():
            return self.plain()
        n, rows = len(self.shape) - 1, int(self.rng.integers(1, 6))
        there, back = [0, *range(2, n + 2), 1], [0, n + 1, *range(1, n + 1)]
        self.x = self.net.node("Transpose", self.x, perm=there)
        self.x = self.net.node("MatMul", self.x, self.weight((self.shape[0], rows), 1))
        self.x = self.net.node("Transpose", self.x, perm=back)
        self.shape = (rows, *self.shape[1:])
        return self.finish()

    def unsqueezed(self) -> None:
        """A 1-D tensor through a 2-D layer; otherwise a reshape and back."""
        if len(self.shape) != 2:
            return self.plain()
        axes = self.net.const(np.array([2], np.int64))
        self.x = self.net.node("Unsqueeze", self.x, axes)
        rows = int(self.rng.integers(1, 5))
        weight = self.weight((rows, self.shape[0], 1, 3))
        attrs = {"kernel_shape": [1, 3], "pads": [0, 1, 0, 1]}
        self.x = self.net.node("Conv", self.x, weight, **attrs)
        self.x = self.net.node("Squeeze", self.x, axes)
        self.shape = (rows, self.shape[1])
        return self.finish()

    def split(self) -> None:
        """Channels in two parts, one of them changed, and together again."""
        if self.shape[0] < 2:
            return self.plain()
        first = int(self.rng.integers(1, self.shape[0]))
        sizes = self.net.const(np.array([first, self.shape[0] - first], np.int64))
        rest = self.net.node("Split", self.x, sizes, outputs=2, axis=1)
        self.x = rest.replace("_1", "_0")
        self.one_scale()
        self.x = self.net.node("Concat", rest, self.x, axis=1)
        return self.finish()

    def stepped(self) -> None:
        """Every second pixel, or a range of channels."""
        steps = self.spatial() and self.flip()
        axis = 2 if steps else 1
        size = self.shape[axis - 1]
        start = 0 if steps else int(self.rng.integers(size))
        bounds = ([start], [size], [axis], [2 if steps else 1])
        inputs = [self.net.const(np.array(b, np.int64)) for b in bounds]
        self.x = self.net.node("Slice", self.x, *inputs)
        kept = -(-(size - start) // (2 if steps else 1))
        self.shape = (*self.shape[: axis - 1], kept, *self.shape[axis:])
        return self.finish()

    def decoder(self) -> None:
        """Down by a strided convolution, up by a transposed one, beside what was there (U-Net)."""
        if not self.spatial() or any(s % 2 for s in self.shape[1:]) or max(self.shape[1:]) > 10:
            return self.plain()
        skip, (channels, *sizes) = self.one_scale(), self.shape
        n, deep = len(sizes), int(self.rng.integers(1, 5))
        attrs = {"kernel_shape": [2] * n, "strides": [2] * n}
        self.x = self.net.node("Conv", self.x, self.weight((deep, channels, *[2] * n)), **attrs)
        self.one_scale()
        weight = self.weight((deep, channels, *[2] * n), 1)
        self.x = self.net.node("ConvTranspose", self.x, weight, **attrs)
        self.one_scale()
        self.x = self.net.node("Concat", self.x, skip, axis=1)
        self.shape = (2 * channels, *sizes)
        return self.plain()

    def end(self) -> None:
        """A class, a vector of logits, or the quantised tensor as it is."""
        kind = str(self.pick("Softmax", "ArgMax", "TopK", "logits", "none", "none"))
        if kind == "none":
            return
        RandomNet.dense(self)
        if kind == "Softmax":
            self.net.node("Softmax", self.x, axis=1)
        elif kind == "ArgMax":
            self.net.node("ArgMax", self.x, axis=1, keepdims=int(self.flip()))
        elif kind == "TopK":
            self.net.node("TopK", self.x, self.net.const(np.array([1])), outputs=2, axis=1)

    def grow(self) -> None:
        self.one_scale() if self.flip(0.6) else self.quantise(
            1.0, bits=int(self.rng.integers(2, 9))
        )
        for _ in range(int(self.rng.integers(1, 5))):
            getattr(self, str(self.pick(*PIECES)))()
        self.end()


def wide_net(seed: int) -> WideNet:
    """The network of `seed`, grown."""
    net = WideNet(seed)
    net.grow()
    return net
