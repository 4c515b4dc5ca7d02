"""Integer training once more, number by number in plain Python integers."""

from __future__ import annotations

from fractions import Fraction
from itertools import product


def bits(values) -> int:
    """ceil(log2 of the largest magnitude)."""
    top, n = max(map(abs, values), default=0), 0
    while 2**n < top:
        n += 1
    return n


def half_up(x: int, shift: int) -> int:
    size = (2 * abs(x) + 2**shift) // 2 ** (shift + 1)
    return size if x >= 0 else -size


def pseudo_stochastic(x: int, shift: int) -> int:
    whole, rest = divmod(abs(x), 2**shift)
    q, r = divmod(rest, 2 ** (shift // 2))
    if shift % 2:
        r *= 2
    whole += q > r
    return whole if x >= 0 else -whole


def stochastic(x: int, shift: int, noise: int) -> int:
    whole, rest = divmod(abs(x), 2**shift)
    whole += rest > noise
    return whole if x >= 0 else -whole


def clip(x: int, top: int = 127) -> int:
    return max(-top, min(top, x))


def loss_error(logits, exponent, target, noise):
    """Rows of int8 errors."""
    rows = []
    for row, label, draws in zip(logits, target, noise, strict=True):
        if exponent <= -7:
            x = [Fraction(v) * Fraction(2) ** exponent for v in row]
            o = [int(2 ** (1 - 2 * exponent) * (1 + v + v * v / 2)) for v in x]
        else:
            z = [int((v * 47274 * 2**20 // 2**15) * 2 ** (exponent + 40) // 2**60) for v in row]
            z = [max(0, v - max(z) + 10) for v in z]
            o = [2**v - 1 for v in z]
        grad = [2**11 * v // sum(o) for v in o]
        grad[label] -= sum(grad)
        rows.append([clip(stochastic(g, 4, n)) for g, n in zip(grad, draws, strict=True)])
    return rows


class Conv:
    """Convolution of lists [frame][channel][row][col]; a dense layer has 1x1 pictures."""

    def __init__(self, weight, stride=1, padding=0):
        self.weight, self.stride, self.padding = weight, stride, padding

    def taps(self, x):
        """(frame, out, y, x) and (in, ky, kx) with the row and column that they meet."""
        kernel, size = len(self.weight[0][0]), (len(x[0][0]), len(x[0][0][0]))
        outs = [(s + 2 * self.padding - kernel) // self.stride + 1 for s in size]
        self.shape = (len(x), len(self.weight), *outs)
        for n, o, i, j in product(*map(range, self.shape)):
            for c, a, b in product(range(len(self.weight[0])), range(kernel), range(kernel)):
                row = i * self.stride + a - self.padding
                col = j * self.stride + b - self.padding
                if 0 <= row < size[0] and 0 <= col < size[1]:
                    yield (n, o, i, j), (c, a, b), row, col

    def forward(self, x):
        sums = {}
        for out, (c, a, b), row, col in self.taps(x):
            term = self.weight[out[1]][c][a][b] * x[out[0]][c][row][col]
            sums[out] = sums.get(out, 0) + term
        return sums

    def gradient(self, x, error):
        found = {}
        for out, (c, a, b), row, col in self.taps(x):
            key = (out[1], c, a, b)
            found[key] = found.get(key, 0) + error[out] * x[out[0]][c][row][col]
        return found

    def error_below(self, x, error):
        found = {}
        for out, (c, a, b), row, col in self.taps(x):
            key = (out[0], c, row, col)
            found[key] = found.get(key, 0) + error[out] * self.weight[out[1]][c][a][b]
        return found

    def moved(self, gradient, mu):
        """The weights after an update by gradients of `mu` bits."""
        shift = max(0, bits(gradient.values()) - mu)
        new = [[[list(row) for row in k] for k in out] for out in self.weight]
        for (o, c, a, b), g in gradient.items():
            new[o][c][a][b] = clip(new[o][c][a][b] - pseudo_stochastic(g, shift))
        return new


def to_int8(sums):
    """Each sum shifted to int8, and the shift."""
    shift = max(0, bits(sums.values()) - 7)
    return {key: clip(half_up(v, shift)) for key, v in sums.items()}, shift


def nested(values, shape):
    """A mapping from indices to lists in lists."""
    if not shape:
        return values[()]
    return [
        nested({k[1:]: v for k, v in values.items() if k[0] == i}, shape[1:])
        for i in range(shape[0])
    ]
