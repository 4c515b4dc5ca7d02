"""What the comparison with qonnx found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """One element that qonnx sees otherwise; `proven` if float32 explains it.

    `exact` is the value before rounding, in levels; `distance` its distance from the boundary
    between the two integers, `bound` the float32 error bound there (inf: none could be computed).
    """

    frame: int
    node: str
    tensor: str
    element: tuple[int, ...]
    integer: int
    qonnx_integer: int
    exact: float
    distance: float
    bound: float

    @property
    def proven(self) -> bool:
        """True when qonnx's float32 can have crossed the boundary."""
        return self.distance <= self.bound < float("inf")

    @property
    def proof(self) -> str:
        """Why float32 may decide otherwise here, in one line."""
        return (
            f"  tie in {self.node}, frame {self.frame}, element {self.element}: exactly "
            f"{self.exact:.9g}, {self.distance:.3g} from the boundary between {self.integer} and "
            f"qonnx's {self.qonnx_integer}; float32 may err by {self.bound:.3g}"
        )


@dataclass(frozen=True)
class CheckReport:
    """What agreed and what did not; frames are numbered from 0."""

    frames: int
    tensors: tuple[str, ...]
    integers: int
    differences: tuple[Difference, ...]
    class_mismatches: tuple[int, ...]
    unexplained_classes: tuple[int, ...]
    wrong_outputs: tuple[int, ...] = ()

    @property
    def integer_mismatches(self) -> int:
        """Elements of quantised tensors that differ."""
        return len(self.differences)

    @property
    def unproven(self) -> tuple[Difference, ...]:
        """Differences that float32 does not explain: failures."""
        return tuple(d for d in self.differences if not d.proven)

    def ties(self, limit: int) -> tuple[str, ...]:
        """The first `limit` proven float32 ties, each in a line with its proof."""
        proven = [d for d in self.differences if d.proven]
        more = (f"  ... and {len(proven) - limit} more",) if len(proven) > limit else ()
        return (*(d.proof for d in proven[:limit]), *more)

    @property
    def ok(self) -> bool:
        """True when everything agrees but for proven float32 ties."""
        return not (self.unproven or self.unexplained_classes or self.wrong_outputs)

    @property
    def sentence(self) -> str:
        """The result for a person."""
        head = (
            f"{self.frames} frames: {self.frames - len(self.class_mismatches)} with qonnx's class, "
            f"{self.integers} integers of {len(self.tensors)} tensors compared"
        )
        if self.ok and not self.differences and not self.class_mismatches:
            return f"{head}, all equal"
        ties = len(self.differences) - len(self.unproven)
        text = f"{head}, {ties} proven float32 ties of qonnx"
        if self.unproven:
            d = self.unproven[0]
            text += (
                f", {len(self.unproven)} unexplained; the first in {d.node} (tensor {d.tensor}, "
                f"frame {d.frame}, element {d.element}): {d.integer}, qonnx has {d.qonnx_integer}"
            )
        logits = len(self.class_mismatches) - len(self.unexplained_classes)
        if logits and not self.differences:
            text += f", {logits} classes whose logits float32 cannot tell apart"
        if self.unexplained_classes:
            text += f"; classes differ without a tie in frames {self.unexplained_classes[:5]}"
        if self.wrong_outputs:
            text += f"; outputs differ by more than float32 explains in {self.wrong_outputs[:5]}"
        return text
