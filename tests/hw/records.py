"""What the monitors of a bench printed (bench/monitor.sv), against the law."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tests.sim.traces import Times

if TYPE_CHECKING:
    from tests.hw.harness import Case


def differences_in(
    text: str, cases: Sequence[Case], times: Sequence[Times]
) -> Iterator[tuple[int, str]]:
    """(number of the case, the first difference) of each channel that is not as expected."""
    found = _parse(text)
    watched = ((i, case, name) for i, case in enumerate(cases) for name in case.channels)
    for number, (i, case, name) in enumerate(watched):
        difference = _difference(found.get(number), times[i][name], case, name)
        if difference:
            yield i, f"{case.label}, channel {name}{difference}"


def _parse(text: str) -> dict[int, tuple[list[int], list[int], list[int]]]:
    """Per channel: cycles of issue, cycles of release, data."""
    found: dict[int, tuple[list[int], list[int], list[int]]] = {}
    for line in text.splitlines():
        fields = line.split()
        if len(fields) < 3 or fields[1] not in ("W", "R"):
            continue
        issued, released, data = found.setdefault(int(fields[0]), ([], [], []))
        if fields[1] == "W":
            issued.append(int(fields[2]))
        else:
            released.append(int(fields[2]))
            data.append(_value(fields[3]))
    return found


def _value(digits: str) -> int:
    """-1 where a bit is unknown, which only Icarus tells."""
    return -1 if set(digits) & set("xzXZ") else int(digits, 16)


def _difference(found: tuple | None, expected: tuple, case: Case, name: str) -> str | None:
    """The first difference of one channel, in words; of an inner one the data are not watched."""
    if not found:
        return ": no token at all"
    lists = (*expected, case.data[name]) if name in case.ports else expected
    for what, got, wanted in zip(("issue", "release", "data"), found, lists, strict=False):
        for beat, (a, b) in enumerate(zip(got, wanted, strict=False)):
            if a != b:
                return f", {what} of beat {beat}: expected {b}, found {a}"
        if not 0 <= len(got) - len(wanted) <= case.ahead:
            return f": {len(wanted)} of {what} expected, not {len(got)}"
    return None
