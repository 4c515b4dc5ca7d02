"""How wide every weight and activation of a network is, and how the widths come about."""

from __future__ import annotations

import msgspec

from codesign.errors import BadInput
from codesign.quant.methods import METHODS, Method, method

WIDTHS = range(1, 9)
ACCUMULATORS = range(4, 33)
GRADIENTS = {
    "ste": "straight-through",
    "ewgs": "scaled by the place between two levels",
    "invtanh": "by its inverse hyperbolic tangent",
    "tanh": "by its hyperbolic tangent",
    "acos": "by its sine",
    "position": "by its distance from a level",
    "gauss-noise": "by Gaussian noise",
    "uniform-noise": "by uniform noise",
}
FIRST_GRIDS = {
    "least-squares": "the step with the least squared error",
    "spread": "range max|mean +- 3 sigma| of weights, 99.9th percentile of activations",
}
BINARY_ACTS = {
    "bipolar": "1-bit activations are -1 and +1",
    "unsigned": "1-bit activations are 0 and one step",
}


class LayerBits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Widths of one layer in bits, and the method of both; None keeps that of the network."""

    weight: int | None = None
    act: int | None = None
    quantiser: str | None = None

    def __post_init__(self) -> None:
        for field in ("weight", "act"):
            bits = getattr(self, field)
            if bits is not None:
                check_width(field, bits)


class QuantConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Widths of a network in bits.

    Weights are signed: 2..8 bits, or 1 for the bipolar quantiser (values -1 and +1 times one
    scale), which has no learned width. Activations are unsigned, 1..8 bits. `quantiser` names the
    method (codesign/quant/methods.py), `weight_quantiser` and `act_quantiser` another one for
    either; where a method learns widths, these are where learning starts. `layers` overrides
    widths and method for a layer by its module path or that of a parent ("features", "features.3"); the
    longest path that states one wins. `weight_gradient` and `act_gradient` modify the gradient of learned uniform
    grids (codesign/quant/gradients.py), whose first value `first_grid` chooses. `per_channel` gives
    every output channel its own grid, matrices only with `per_channel_dense`. `accumulator_bits` are
    those that sums may need where the method of weights keeps to it (a2q+). Raises BadInput.
    """

    weight_bits: int = 4
    act_bits: int = 4
    input_bits: int = 8
    quantiser: str = "u3"
    weight_quantiser: str | None = None
    act_quantiser: str | None = None
    per_channel: bool = False
    per_channel_dense: bool = True
    power_of_two_step: bool = False
    binary_act: str = "unsigned"
    weight_gradient: str = "ste"
    act_gradient: str = "ste"
    first_grid: str = "least-squares"
    accumulator_bits: int | None = None
    layers: dict[str, LayerBits] = {}

    def __post_init__(self) -> None:
        for field in ("weight_bits", "act_bits", "input_bits"):
            check_width(field, getattr(self, field))
        _check_choice("binary_act", self.binary_act, BINARY_ACTS)
        _check_choice("first_grid", self.first_grid, FIRST_GRIDS)
        _check_gradient("weight_gradient", self.weight_gradient, self.weight_method)
        _check_gradient("act_gradient", self.act_gradient, self.act_method)
        self._check_widths(self.weight_method, self.weight_bits, self.act_method, self.act_bits)
        for layer in self.layers:
            weights = self.weight_method_of(layer), self.weight_bits_of(layer)
            self._check_widths(*weights, self.act_method_of(layer), self.act_bits_of(layer))
        self._check_sums()

    def _check_widths(self, weights: Method, weight_bits: int, acts: Method, act_bits: int) -> None:
        """One bit is bipolar for weights, and for activations if they are: whatever the method."""
        if weight_bits != 1:
            weights.check(weight_bits, is_weight=True)
        if act_bits != 1 or self.binary_act != "bipolar":
            acts.check(act_bits, is_weight=False)

    @property
    def weight_method(self) -> Method:
        """How weights are quantised."""
        return method(self.weight_quantiser or self.quantiser)

    @property
    def act_method(self) -> Method:
        """How activations are quantised."""
        return method(self.act_quantiser or self.quantiser)

    def weight_method_of(self, layer: str) -> Method:
        """How weights of the module at path `layer` are quantised."""
        own = self._override(layer, "quantiser")
        return method(own) if own else self.weight_method

    def act_method_of(self, layer: str) -> Method:
        """How activations of the module at path `layer` are quantised."""
        own = self._override(layer, "quantiser")
        return method(own) if own else self.act_method

    def slices_weights_of(self, layer: str) -> bool:
        """Whether every output channel of the module at path `layer` has its own scale of weights."""
        return self.per_channel or self.weight_method_of(layer).per_filter

    def check_pruned(self, layer: str) -> None:
        """Raise BadInput where weights of the module at path `layer` that are 0 would not stay so."""
        chosen, bits = self.weight_method_of(layer), self.weight_bits_of(layer)
        if chosen.keeps_zero and bits > 1:
            return
        can = ", ".join(m.name for m in METHODS if m.keeps_zero and m.weight_bits)
        raise BadInput(
            f"{layer} is pruned, and a weight of 0 does not stay 0 behind quantiser {chosen.name!r} "
            f"at {bits} bit{'s' * (bits > 1)}; choose 2 bits or more of {can}",
            layer=layer,
            quantiser=chosen.name,
            bits=bits,
        )

    @property
    def widest_act_bits(self) -> int:
        """Bits that hold every activation of the network; -1 and +1 need 2."""
        stated = (own.act for own in self.layers.values() if own.act is not None)
        return max(2, self.act_bits, *stated)

    def _check_sums(self) -> None:
        """A bound of sums needs a method that keeps it, inputs of known widths, and room."""
        methods = (self.weight_method, *map(self.weight_method_of, self.layers))
        wanted = [m.name for m in methods if m.bounds_sums]
        if not wanted and self.accumulator_bits is not None:
            can = ", ".join(m.name for m in METHODS if m.bounds_sums)
            raise _wrong_sums(self.accumulator_bits, f"needs weight_quantiser = {can}")
        if not wanted:
            return
        if self.accumulator_bits not in ACCUMULATORS:
            rule = f"{ACCUMULATORS[0]} to {ACCUMULATORS[-1]} for quantiser {wanted[0]!r}"
            raise _wrong_sums(self.accumulator_bits, f"must be {rule}")
        acts = (self.act_method, *map(self.act_method_of, self.layers))
        growing = next((m.name for m in acts if not m.plain_acts), None)
        bits = (self.weight_bits, *map(self.weight_bits_of, self.layers))
        if growing:
            can = ", ".join(m.name for m in METHODS if m.plain_acts)
            words = f"needs activations of a given width, which {growing!r} has not; {can} have"
            raise _wrong_sums(self.accumulator_bits, words)
        if 1 in bits:
            raise _wrong_sums(self.accumulator_bits, "needs weights of 2 to 8 bits, and one has 1")

    def weight_bits_of(self, layer: str) -> int:
        """Weight width of the module at path `layer`."""
        return self._override(layer, "weight") or self.weight_bits

    def act_bits_of(self, layer: str) -> int:
        """Activation width of the module at path `layer`."""
        return self._override(layer, "act") or self.act_bits

    def _override(self, layer: str, field: str) -> int | str | None:
        parts = layer.split(".")
        paths = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
        stated = (getattr(self.layers[path], field) for path in paths if path in self.layers)
        return next((value for value in stated if value is not None), None)


def _wrong_sums(found: int | None, words: str) -> BadInput:
    said = "not set" if found is None else f"{found}"
    return BadInput(f"accumulator_bits is {said} and {words}", field="accumulator_bits")


def check_width(field: str, bits: int) -> None:
    """Raises BadInput unless `bits` is an integer from 1 to 8."""
    if isinstance(bits, bool) or bits not in WIDTHS:
        raise BadInput(
            f"{field} must be a whole number of bits from 1 to 8, not {bits!r}; "
            "1 bit is bipolar for weights",
            field=field,
            found=bits,
        )


def _check_gradient(field: str, found: str, chosen: Method) -> None:
    """Places between levels need equally spaced ones."""
    _check_choice(field, found, GRADIENTS)
    if found != "ste" and not chosen.learns_grid:
        can = ", ".join(m.name for m in METHODS if m.learns_grid)
        raise BadInput(
            f"{field} is {found!r}, which needs a learned uniform grid, and quantiser "
            f"{chosen.name!r} has none; {can} do",
            field=field,
            found=found,
        )


def _check_choice(field: str, found: str, choices: dict[str, str]) -> None:
    if found not in choices:
        meanings = "; ".join(f"{name}: {meaning}" for name, meaning in choices.items())
        raise BadInput(
            f"{field} is {found!r}, which is not one of its choices ({meanings})",
            field=field,
            found=found,
        )
