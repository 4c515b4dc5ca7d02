"""Integer types of tensors and streams."""

from __future__ import annotations

import msgspec

from codesign.errors import BadInput

KINDS = ("int", "bipolar", "ternary", "power-of-two")
EXACT_BITS = {"bipolar": 1, "ternary": 2}


class QType(msgspec.Struct, frozen=True, order=True):
    """An integer range as hardware carries it.

    `bits` is the width on the wire. `kind` is "int" (two's complement or unsigned), "bipolar"
    (the values -1 and +1 on one wire), "ternary" (-1, 0, +1 on two) or, for weights alone,
    "power-of-two" (0 and +-2^e: a sign, and e + 1 or 0 in the other bits). `narrow` drops the most
    negative value of a signed range, and leaves 2^(bits - 2) exponents of a power of two, those of
    INQ's code. QONNX names appear only at the border (`codesign/graph`).
    """

    bits: int
    signed: bool = True
    kind: str = "int"
    narrow: bool = False

    def __post_init__(self) -> None:
        if self.bits < 1:
            raise ValueError(f"a type has at least 1 bit, not {self.bits}")
        if self.kind not in KINDS:
            raise ValueError(f"kind is one of {', '.join(KINDS)}, not {self.kind!r}")
        if self.bits != EXACT_BITS.get(self.kind, self.bits):
            raise ValueError(f"{self.kind} has {EXACT_BITS[self.kind]} bit(s), not {self.bits}")
        if self.kind == "power-of-two" and not (2 <= self.bits <= 5 and self.signed):
            raise ValueError(f"power-of-two is signed and has 2 to 5 bits, not {self.bits}")

    @property
    def min(self) -> int:
        """Smallest value."""
        if self.kind == "power-of-two":
            return -self.max
        if self.kind != "int":
            return -1
        return -(1 << (self.bits - 1)) + self.narrow if self.signed else 0

    @property
    def max(self) -> int:
        """Largest value."""
        if self.kind == "power-of-two":
            return 1 << (self.exponents - 1)
        if self.kind != "int":
            return 1
        return (1 << (self.bits - self.signed)) - 1

    @property
    def step(self) -> int:
        """Distance between neighbouring values: 2 for bipolar, otherwise 1; powers of two have none."""
        return 2 if self.kind == "bipolar" else 1

    @property
    def exponents(self) -> int:
        """How many exponents a power of two has: 0 to this, less one."""
        return 1 << (self.bits - 2) if self.narrow else (1 << (self.bits - 1)) - 1

    @property
    def levels(self) -> int:
        """How many values the type has."""
        if self.kind == "power-of-two":
            return 2 * self.exponents + 1
        return (self.max - self.min) // self.step + 1

    def __str__(self) -> str:
        if self.kind == "power-of-two":
            return f"pow2_{self.bits}{'n' if self.narrow else ''}"
        if self.kind != "int":
            return self.kind
        return f"{'int' if self.signed else 'uint'}{self.bits}{'n' if self.narrow else ''}"

    @classmethod
    def covering(cls, low: int, high: int) -> QType:
        """Narrowest two's-complement or unsigned type that holds every integer in [low, high]."""
        if low > high:
            raise ValueError(f"empty range [{low}, {high}]")
        if low >= 0:
            return cls(max(1, int(high).bit_length()), signed=False)
        return cls(1 + max(int(high).bit_length(), int(-low - 1).bit_length()), signed=True)


BIPOLAR = QType(1, True, "bipolar")
TERNARY = QType(2, True, "ternary")


def qtype_of(word: str) -> QType:
    """The integer type called `word`: "uint8", "int4" or "bipolar"; raises BadInput."""
    kind, digits = word.rstrip("0123456789"), word.lstrip("abcdefghijklmnopqrstuvwxyz")
    if word == "bipolar":
        return BIPOLAR
    if kind not in ("int", "uint") or not digits.isdigit() or not 1 <= int(digits) <= 32:
        raise BadInput(
            f"input type must be uintN or intN with N from 1 to 32, or bipolar, not {word!r}",
            found=word,
        )
    return QType(int(digits), signed=kind == "int")
