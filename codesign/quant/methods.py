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

    `where` names what makes it, a class or function of a file in this folder that takes (bits,
    is_weight, signed, as_power, shape): `as_power` asks for a step that is a power of two, `shape`
    is () for one grid per tensor or (C, 1, ..). `learns_grid` marks those with a learned, equally
    spaced grid. Without `signed_acts` the signed activations of a network (sums of residual
    branches) get LSQ, "fixed", at the same width. `per_filter` gives every output channel its own
    scale whatever `per_channel` says. `real_levels` are no integers times a scale: they need
    `as_power` to reach hardware. `plain_acts` are activations whose integers have exactly b bits.
    `bounds_sums` keep sums within the config's `accumulator_bits`. With `keeps_zero` a weight of 0
    stays 0, as a pruned one must.
    """

    name: str
    title: str
    paper: str
    where: str
    weight_bits: range
    act_bits: range
    learns_grid: bool = False
    signed_acts: bool = True
    per_filter: bool = False
    real_levels: bool = False
    plain_acts: bool = False
    bounds_sums: bool = False
    keeps_zero: bool = True

    def make(
        self, bits: int, is_weight: bool, signed: bool, as_power: bool, shape: tuple[int, ...]
    ) -> Quantiser:
        """The quantiser; raises BadInput for a width it cannot have."""
        self.check(bits, is_weight)
        module, _, name = self.where.partition(":")
        kind: Any = getattr(import_module(f"{__package__}.{module}"), name)
        return kind(bits, is_weight, signed, as_power, shape)

    @property
    def only_signs(self) -> bool:
        """Whether activations are -1 and +1."""
        return self.act_bits == ONE

    def check(self, bits: int, is_weight: bool) -> None:
        """Raise BadInput unless this method knows `bits`."""
        legal = self.weight_bits if is_weight else self.act_bits
        if bits in legal:
            return
        what = "weights" if is_weight else "activations"
        others = (m.name for m in METHODS if bits in (m.weight_bits if is_weight else m.act_bits))
        raise BadInput(
            f"quantiser {self.name!r} has {_widths(legal)} {what}, and {bits} was asked for; "
            f"{', '.join(others)} can do it",
            quantiser=self.name,
            bits=bits,
            legal=tuple(legal),
        )


def _widths(legal: range) -> str:
    """The widths in words."""
    if len(legal) > 1:
        return f"{legal[0]} to {legal[-1]} bits for"
    return f"{legal[0]} bit{'s' * (legal[0] > 1)} for" if legal else "no form for"


NONE, ONE, TWO = range(0), range(1, 2), range(2, 3)
ANY, SIGNED = range(1, 9), range(2, 9)
POWERS = range(2, 6)
DQ = "Uhlich et al., ICLR 2020"

METHODS: tuple[Method, ...] = (
    Method("u3", "step and range learned, bits inferred", DQ, "u3:U3Quantiser", SIGNED, ANY, True),
    Method(
        "fixed",
        "step learned, bits as given (LSQ)",
        "Esser et al., ICLR 2020",
        "lsq:LsqQuantiser",
        SIGNED,
        ANY,
        learns_grid=True,
        plain_acts=True,
    ),
    Method("u1", "bits and step learned, range inferred", DQ, "u1:U1Quantiser", SIGNED, ANY, True),
    Method("u2", "bits and range learned, step inferred", DQ, "u2:U2Quantiser", SIGNED, ANY, True),
    Method(
        "p1",
        "powers of two: bits and largest learned",
        DQ,
        "p1:P1Quantiser",
        POWERS,
        POWERS,
        signed_acts=False,
        keeps_zero=False,
    ),
    Method(
        "p2",
        "powers of two: bits and smallest learned",
        DQ,
        "p2:P2Quantiser",
        POWERS,
        POWERS,
        signed_acts=False,
        keeps_zero=False,
    ),
    Method(
        "p3",
        "powers of two: smallest and largest learned, bits inferred",
        DQ,
        "p3:P3Quantiser",
        POWERS,
        POWERS,
        signed_acts=False,
        keeps_zero=False,
    ),
    Method(
        "inq",
        "0 or a power of two, fixed a portion at a time ([train] procedure)",
        "Zhou et al., ICLR 2017",
        "inq:InqQuantiser",
        POWERS,
        NONE,
    ),
    Method(
        "inq-dns",
        "as inq, after dynamic network surgery ([train] procedure)",
        "Guo, Yao and Chen, NeurIPS 2016",
        "surgery:SurgeryQuantiser",
        POWERS,
        NONE,
    ),
    Method(
        "bwn",
        "sign of weights times their mean size",
        "Rastegari et al., ECCV 2016",
        "bipolar:BipolarQuantiser",
        ONE,
        NONE,
        keeps_zero=False,
    ),
    Method(
        "xnor",
        "sign of weights times the mean size of their filter, with its own gradient",
        "Rastegari et al., ECCV 2016",
        "xnor:XnorQuantiser",
        ONE,
        ONE,
        signed_acts=False,
        per_filter=True,
        keeps_zero=False,
    ),
    Method(
        "binaryconnect",
        "sign of weights, no scale, all gradients pass",
        "Courbariaux et al., NIPS 2015",
        "binary_connect:BinaryConnectQuantiser",
        ONE,
        NONE,
        keeps_zero=False,
    ),
    Method(
        "bnn",
        "sign of weights and activations, no scale",
        "Courbariaux et al., 2016",
        "bnn:BnnQuantiser",
        ONE,
        ONE,
        signed_acts=False,
        keeps_zero=False,
    ),
    Method(
        "twn",
        "ternary weights with a threshold from their mean",
        "Li, Zhang and Liu, 2016",
        "twn:TwnQuantiser",
        TWO,
        NONE,
    ),
    Method(
        "qnn",
        "uniform on [-1, 1], saturating",
        "Hubara et al., JMLR 2018",
        "qnn:QnnQuantiser",
        SIGNED,
        ANY,
        plain_acts=True,
    ),
    Method(
        "dorefa",
        "weights through tanh, activations clipped to [0, 1]",
        "Zhou et al., 2016",
        "dorefa:DorefaQuantiser",
        range(2, 8),
        ANY,
        plain_acts=True,
        keeps_zero=False,
    ),
    Method(
        "pact",
        "activations clipped to a learned range",
        "Choi et al., 2018",
        "pact:PactQuantiser",
        NONE,
        ANY,
        signed_acts=False,
        plain_acts=True,
    ),
    Method(
        "lsq+",
        "step and offset of activations learned, bits as given",
        "Bhalgat et al., CVPRW 2020",
        "lsq_plus:lsq_plus",
        SIGNED,
        ANY,
        signed_acts=False,
        plain_acts=True,
    ),
    Method(
        "sat",
        "DoReFa's weights rescaled, PACT with a calibrated gradient",
        "Jin, Yang and Liao, 2019",
        "sat:sat",
        SIGNED,
        ANY,
        signed_acts=False,
        plain_acts=True,
    ),
    Method(
        "apot",
        "sums of powers of two in a learned range",
        "Li, Dong and Wang, ICLR 2020",
        "apot:ApotQuantiser",
        range(2, 7),
        range(1, 6),
        signed_acts=False,
        keeps_zero=False,
    ),
    Method(
        "hgq",
        "fractional bits learned, range observed",
        "Sun et al., 2024",
        "hgq:hgq",
        SIGNED,
        ANY,
    ),
    Method(
        "hgq-each",
        "as hgq with fractional bits of every weight; 0 bits prune it",
        "Sun et al., 2024",
        "hgq:hgq_each",
        SIGNED,
        ANY,
    ),
    Method(
        "a2q+",
        "step learned, sums bounded (needs accumulator_bits)",
        "Colbert et al., ICML 2024",
        "a2q:A2qQuantiser",
        SIGNED,
        NONE,
        bounds_sums=True,
        keeps_zero=False,
    ),
    Method(
        "ttq",
        "ternary weights with two learned values",
        "Zhu et al., ICLR 2017",
        "ttq:TtqQuantiser",
        TWO,
        NONE,
        real_levels=True,
    ),
    Method(
        "lq-net",
        "sums of a fitted basis of real numbers, one for each bit",
        "Zhang et al., ECCV 2018",
        "lq_net:lq_net",
        range(1, 5),
        range(1, 5),
        signed_acts=False,
        per_filter=True,
        real_levels=True,
        keeps_zero=False,
    ),
    Method(
        "centroids",
        "weights on a codebook that k-means renews",
        "the QAT benchmark's scalar centroids",
        "centroids:CentroidQuantiser",
        ANY,
        NONE,
        real_levels=True,
        keeps_zero=False,
    ),
    Method(
        "centroids-shared",
        "weights on a codebook that is trained",
        "Han, Mao and Dally, ICLR 2016",
        "centroids:SharedQuantiser",
        ANY,
        NONE,
        real_levels=True,
        keeps_zero=False,
    ),
    Method(
        "float",
        "not quantised: for comparison, without export",
        "",
        "float_quantiser:FloatQuantiser",
        SIGNED,
        SIGNED,
    ),
)


def method(name: str) -> Method:
    """The method called `name`; raises BadInput with all names."""
    for known in METHODS:
        if known.name == name:
            return known
    meanings = "; ".join(f"{m.name}: {m.title}" for m in METHODS)
    raise BadInput(f"there is no quantiser {name!r}; choose one of these ({meanings})", found=name)
