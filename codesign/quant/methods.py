"""Every quantiser by name: THE list; a new one is a file in this folder and a line here.

Reading this needs no torch: a method is imported when a network is built with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from codesign.errors import BadInput

if TYPE_CHECKING:
    from codesign.quant.quantiser import Quantiser


@dataclass(frozen=True)
class Method:
    """A quantiser: what it does, where it was published, and the widths it can have in bits.

    `where` names its class, which is made as (bits, is_weight, signed, as_power, shape): `as_power`
    asks for a step that is a power of two, `shape` is () for one grid per tensor or (C, 1, ..).
    `learns_grid` marks those with a learned, equally spaced grid. Without `signed_acts` the signed
    activations of a network (sums of residual branches) get LSQ, "fixed", at the same width.
    """

    name: str
    title: str
    paper: str
    where: str
    weight_bits: range
    act_bits: range
    learns_grid: bool = False
    signed_acts: bool = True

    def make(
        self, bits: int, is_weight: bool, signed: bool, as_power: bool, shape: tuple[int, ...]
    ) -> Quantiser:
        """The quantiser; raises BadInput for a width it cannot have."""
        self.check(bits, is_weight)
        module, _, name = self.where.partition(":")
        kind: Any = getattr(import_module(module), name)
        return kind(bits, is_weight, signed, as_power, shape)

    def check(self, bits: int, is_weight: bool) -> None:
        """Raise BadInput unless this method knows `bits`."""
        legal = self.weight_bits if is_weight else self.act_bits
        if bits in legal:
            return
        what = "weights" if is_weight else "activations"
        others = (m.name for m in METHODS if bits in (m.weight_bits if is_weight else m.act_bits))
        words = f"{legal[0]} to {legal[-1]} bits for" if legal else "no form for"
        raise BadInput(
            f"quantiser {self.name!r} has {words} {what}, and {bits} was asked for; "
            f"{', '.join(others)} can do it",
            quantiser=self.name,
            bits=bits,
            legal=tuple(legal),
        )


NONE = range(0)
DQ = "Uhlich et al., ICLR 2020"

METHODS: tuple[Method, ...] = (
    Method(
        "u3",
        "step and range learned, bits inferred",
        DQ,
        "codesign.quant.u3:U3Quantiser",
        range(2, 9),
        range(1, 9),
        learns_grid=True,
    ),
    Method(
        "fixed",
        "step learned, bits as given (LSQ)",
        "Esser et al., ICLR 2020",
        "codesign.quant.lsq:LsqQuantiser",
        range(2, 9),
        range(1, 9),
        learns_grid=True,
    ),
    Method(
        "u1",
        "bits and step learned, range inferred",
        DQ,
        "codesign.quant.u1:U1Quantiser",
        range(2, 9),
        range(1, 9),
        learns_grid=True,
    ),
    Method(
        "u2",
        "bits and range learned, step inferred",
        DQ,
        "codesign.quant.u2:U2Quantiser",
        range(2, 9),
        range(1, 9),
        learns_grid=True,
    ),
    Method(
        "p1",
        "powers of two: bits and largest learned",
        DQ,
        "codesign.quant.p1:P1Quantiser",
        range(2, 6),
        range(2, 6),
        signed_acts=False,
    ),
    Method(
        "p2",
        "powers of two: bits and smallest learned",
        DQ,
        "codesign.quant.p2:P2Quantiser",
        range(2, 6),
        range(2, 6),
        signed_acts=False,
    ),
    Method(
        "p3",
        "powers of two: smallest and largest learned, bits inferred",
        DQ,
        "codesign.quant.p3:P3Quantiser",
        range(2, 6),
        range(2, 6),
        signed_acts=False,
    ),
    Method(
        "inq",
        "0 or a power of two, fixed a portion at a time ([train] procedure)",
        "Zhou et al., ICLR 2017",
        "codesign.quant.inq:InqQuantiser",
        range(2, 6),
        NONE,
    ),
    Method(
        "bwn",
        "sign of weights times their mean size",
        "Rastegari et al., ECCV 2016",
        "codesign.quant.bipolar:BipolarQuantiser",
        range(1, 2),
        NONE,
    ),
    Method(
        "bnn",
        "sign of weights, no scale (BinaryConnect; BNN with bipolar activations)",
        "Courbariaux et al., 2016",
        "codesign.quant.bnn:BnnQuantiser",
        range(1, 2),
        NONE,
    ),
    Method(
        "twn",
        "ternary weights with a threshold from their mean",
        "Li, Zhang and Liu, 2016",
        "codesign.quant.twn:TwnQuantiser",
        range(2, 3),
        NONE,
    ),
    Method(
        "qnn",
        "uniform on [-1, 1], saturating",
        "Hubara et al., JMLR 2018",
        "codesign.quant.qnn:QnnQuantiser",
        range(2, 9),
        range(1, 9),
    ),
    Method(
        "dorefa",
        "weights through tanh, activations clipped to [0, 1]",
        "Zhou et al., 2016",
        "codesign.quant.dorefa:DorefaQuantiser",
        range(2, 8),
        range(1, 9),
    ),
    Method(
        "pact",
        "activations clipped to a learned range",
        "Choi et al., 2018",
        "codesign.quant.pact:PactQuantiser",
        NONE,
        range(1, 9),
        signed_acts=False,
    ),
    Method(
        "float",
        "not quantised: for comparison, without export",
        "",
        "codesign.quant.float_quantiser:FloatQuantiser",
        range(2, 9),
        range(2, 9),
    ),
)


def method(name: str) -> Method:
    """The method called `name`; raises BadInput with all names."""
    for known in METHODS:
        if known.name == name:
            return known
    meanings = "; ".join(f"{m.name}: {m.title}" for m in METHODS)
    raise BadInput(f"there is no quantiser {name!r}; choose one of these ({meanings})", found=name)
