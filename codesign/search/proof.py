"""What the search has proven of a folding, and in words how far a result is from it."""

from __future__ import annotations

from math import inf

import msgspec

from codesign.cost.verdict import word

SAME = 1e-9
# Share of a proof below which a count is not named.
SLIGHT = 0.005
# Share of a budget below which an excess is not given as a number.
TINY = 1e-5


class Proof(msgspec.Struct, frozen=True):
    """Bounds that hold for every legal folding, its streams no shallower than full rate needs.

    None within the budget gives more than `fps_bound` frames per second (0: none fits), and none as
    fast as the one found has a lower cost than `cost_bound`, where that one has `cost` (shares of
    the budget, or what the caller weighs). `structural`: `fps_bound` is that of the fastest folding
    on any budget. Each folding of at least `refuted_fps` exceeds the budget of some count in
    `binding` by `least_excess` budgets or more; `binding` maps counts to their weight in this proof.
    No folding within the budget has a latency under `latency_bound_s`, the one found has `latency_s`
    (both 0 where no latency was asked for). All that holds for the `paddings` of channel counts tried (1: none but the network as it is);
    `paddings_left` were not.
    """

    fps_bound: float = inf
    structural: bool = False
    cost: float = inf
    cost_bound: float = -inf
    refuted_fps: float = inf
    least_excess: float = 0.0
    binding: dict[str, float] = {}
    latency_s: float = 0.0
    latency_bound_s: float = 0.0
    paddings: int = 1
    paddings_left: int = 0

    @property
    def scarce(self) -> tuple[str, ...]:
        """Counts that bind, the most important first."""
        kinds = sorted(self.binding, key=lambda k: (-self.binding[k], k))
        return tuple(kind for kind in kinds if self.binding[kind] >= SLIGHT)

    def optimal(self, fps: float) -> bool:
        """True when nothing within the budget is faster than `fps`."""
        return fps >= self.fps_bound * (1 - SAME)

    def sentence(self, fps: float, targeted: bool) -> str:
        """What is proven of a design with `fps` frames per second that fits."""
        return self._sentence(fps, targeted) + self._among

    @property
    def _among(self) -> str:
        """What the paddings restrict."""
        if self.paddings + self.paddings_left == 1:
            return ""
        left = f" ({self.paddings_left} more were not)" if self.paddings_left else ""
        return f" That holds for the {self.paddings} paddings of channel counts tried{left}."

    def _sentence(self, fps: float, targeted: bool) -> str:
        if targeted and self.cost_bound == -inf:
            return "Not proven: another folding that reaches the target may cost less."
        if targeted:
            gap = 1 - self.cost_bound / self.cost if self.cost > 0 else 0.0
            if gap <= 1e-5:
                return "Proven: no folding that reaches the target costs less."
            return f"Proven: every folding that reaches the target costs {1 - gap:.2%} of this one or more."
        if self.optimal(fps) and self.structural:
            return "Proven: no legal folding is faster, whatever the budget."
        if self.optimal(fps):
            return "Proven: no folding within the budget is faster."
        return (
            f"Proven: no folding within the budget gives more than {self.fps_bound:,.1f} frames/s; "
            f"this one reaches {fps / self.fps_bound:.1%} of that."
        )

    def missed(self, fps: float) -> str:
        """What is proven where a design fits and misses its target."""
        if not self.latency_s:
            return self.sentence(fps, targeted=False)
        if not self.latency_bound_s:
            return "Not proven: a folding within the budget may have that latency."
        found = "Proven: no folding within the budget has a latency of less than"
        return f"{found} {self.latency_bound_s * 1e6:,.2f} µs.{self._among}"

    def refutation(self, targeted: bool) -> str:
        """What is proven where nothing fits; empty without a proof."""
        if not self.scarce or self.least_excess <= 0:
            return ""
        which = "every folding for the target" if targeted else "every folding, however slow,"
        return f"Proven: {which} needs {self.lacking} than usable, or still more.{self._among}"

    @property
    def lacking(self) -> str:
        """What every folding of `refuted_fps` needs beyond the budget: "12.1% more BRAM18 or LUT";
        without a number where only the integer search has refuted it."""
        more = f"more {' or '.join(map(word, self.scarce))}"
        if self.least_excess < TINY:
            return more
        return f"{self.least_excess:.{1 if self.least_excess >= 0.001 else 3}%} {more}"
