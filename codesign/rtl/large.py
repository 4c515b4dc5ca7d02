"""Memories without initial contents in the top: each beside its block, filled from one stream.

The stream `s_axis_weights` fills them in the order of the design's blocks; hw/large_ram.sv says in
which order one memory takes its words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from textwrap import indent

from codesign.design import Design
from codesign.rtl.instance import Loaded, Rtl, instance_text
from codesign.rtl.names import identifiers

WEIGHTS_FILE = "weights.hex"


@dataclass(frozen=True)
class LargeRam:
    """The memory behind the ports <port>_addr_o and <port>_data_i of `block`; nets begin with
    `name`."""

    block: str
    port: str
    name: str
    loaded: Loaded

    @property
    def port_nets(self) -> dict[str, str]:
        """Port of the block to net."""
        return {f"{self.port}_{p}": f"{self.name}_{n}" for p, n in PORT_NETS}

    def text(self, turn: str) -> str:
        """Nets and instance; the memory is filled once `turn` is high."""
        words, bits = len(self.loaded.memory.words), self.loaded.memory.width_bits
        parameters = {"Width": bits, "Depth": words, "LoadBits": self.loaded.load_bits}
        nets = {
            "clk_i": "aclk",
            "rst_i": "board_rst",
            "turn_i": turn,
            "load_valid_i": "load_valid",
            "load_data_i": f"s_axis_weights_tdata[{self.loaded.load_bits - 1}:0]",
            "loaded_o": f"{self.name}_loaded",
            "addr_i": f"{self.name}_addr",
            "data_o": f"{self.name}_data",
        }
        return f"""\
  // {self.name}: {words} words of {bits} bits, {len(self.loaded.transfers)} transfers of weights
  logic [{max(1, (words - 1).bit_length()) - 1}:0] {self.name}_addr;
  logic [{bits - 1}:0] {self.name}_data;
  logic {self.name}_loaded;
""" + indent(instance_text(Rtl("large_ram", parameters), f"{self.name}_ram", {}, nets), "  ")


PORT_NETS = (("addr_o", "addr"), ("data_i", "data"))
LOADER_NETS = {
    "clk_i": "aclk",
    "rst_i": "board_rst",
    "weights_tvalid_i": "s_axis_weights_tvalid",
    "weights_tready_o": "s_axis_weights_tready",
    "host_tvalid_i": "s_axis_tvalid",
    "host_tready_o": "s_axis_tready",
    "load_valid_o": "load_valid",
    "rst_o": "rst",
    "frames_tvalid_o": "frames_tvalid",
    "frames_tready_i": "frames_tready",
}


def large_rams(design: Design, rtls: Mapping[str, Rtl]) -> tuple[LargeRam, ...]:
    """The memories of `design` that are filled at start-up, in the order of filling."""
    known = identifiers(design)
    return tuple(
        LargeRam(block.name, port, f"{known[block.name]}_{port}", loaded)
        for block in design.blocks
        for port, loaded in rtls[block.name].loaded.items()
    )


def weights_text(rams: tuple[LargeRam, ...]) -> str:
    """weights.hex: every transfer of the stream, in order, one hexadecimal number a line."""
    return "".join(
        f"{beat:0{-(-ram.loaded.load_bits // 4)}x}\n"
        for ram in rams
        for beat in ram.loaded.transfers
    )


def transfer_bits(load_bits: int) -> int:
    """Width of the stream `s_axis_weights`: whole bytes."""
    return -(-load_bits // 8) * 8


def ports_text(rams: tuple[LargeRam, ...]) -> str:
    """The ports of the stream of contents."""
    high = transfer_bits(rams[0].loaded.load_bits) - 1
    return f"""\
    input  logic s_axis_weights_tvalid,
    output logic s_axis_weights_tready,
    input  logic [{high}:0] s_axis_weights_tdata,
"""


def loading_text(rams: tuple[LargeRam, ...]) -> Iterator[str]:
    """The loader and the memories, each of which takes its turn behind the one before."""
    nets = LOADER_NETS | {"loaded_i": f"{rams[-1].name}_loaded"}
    nets_of_loader = "  logic load_valid, frames_tvalid, frames_tready;\n"
    turns = ("1'b1", *(f"{ram.name}_loaded" for ram in rams))
    for ram, turn in zip(rams, turns, strict=False):
        yield (nets_of_loader if turn == turns[0] else "") + ram.text(turn)
    yield indent(instance_text(Rtl("loader"), "host_loader", {}, nets), "  ")
