"""The channels inside blocks (line buffers, chunk buffers), as a test bench sees them.

A module of hw/ names the events of such a channel <channel>_issue, a bit, and <channel>_released, the
tokens that are released in the cycle.
"""

from __future__ import annotations

from dataclasses import dataclass

from codesign.design import Design
from codesign.rtl.names import identifiers


@dataclass(frozen=True)
class InnerWires:
    """A channel inside `block`: its `name` in the machine, and the signals of its two ends.

    `file` is the name of its monitor's files.
    """

    name: str
    block: str
    file: str
    instance: str
    channel: str
    beats_per_frame: int

    @property
    def issue(self) -> str:
        """High when a token is written."""
        return f"{self.instance}.{self.channel}_issue"

    @property
    def released(self) -> str:
        """Tokens released."""
        return f"{self.instance}.{self.channel}_released"


def inner_wires(design: Design) -> tuple[InnerWires, ...]:
    """Every channel inside a block of `design`."""
    known = identifiers(design)
    found = []
    for block in design.blocks:
        program = block.program()
        writers = {p.name: p for p in program.processes}
        for channel in program.channels:
            own = known[block.name]
            beats = writers[channel.source].tokens_written(channel.name)
            names = f"{block.name}.{channel.name}", block.name, f"{own}_{channel.name}"
            found.append(InnerWires(*names, f"{own}_i", channel.name, beats))
    return tuple(found)
