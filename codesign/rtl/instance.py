"""What a block's SystemVerilog instance is: module, parameters, memories; and its text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from codesign.cost.packing import words_a_row

# Bits of one literal: wider vectors are concatenations, which every tool reads.
LITERAL_BITS = 1024


@dataclass(frozen=True)
class Memory:
    """Contents of a file parameter: `words` of `width_bits` bits, word 0 first."""

    words: tuple[int, ...]
    width_bits: int

    @property
    def text(self) -> str:
        """The file for $readmemh: one hexadecimal word a line.

        The final newline matters: Verilator 5.006 drops a last word without it.
        """
        digits = -(-self.width_bits // 4)
        return "".join(f"{word:0{digits}x}\n" for word in self.words)


@dataclass(frozen=True)
class Loaded:
    """A memory that is filled at start-up in transfers of `load_bits` bits (hw/large_ram.sv)."""

    memory: Memory
    load_bits: int

    @property
    def transfers(self) -> tuple[int, ...]:
        """The lowest `load_bits` bits of every row, then the next of every row, and so on; narrow
        words share a row."""
        words, bits = self.memory.words, self.memory.width_bits
        shared = words_a_row(len(words), bits, self.load_bits)
        groups = (words[i : i + shared] for i in range(0, len(words), shared))
        rows = [sum(word << (k * bits) for k, word in enumerate(group)) for group in groups]
        mask, shifts = (1 << self.load_bits) - 1, range(0, shared * bits, self.load_bits)
        return tuple((row >> shift) & mask for shift in shifts for row in rows)


@dataclass(frozen=True)
class Vector:
    """A packed parameter: `value` in `width_bits` bits."""

    value: int
    width_bits: int

    @property
    def text(self) -> str:
        """A literal, or a concatenation of literals with the highest bits first."""
        starts = range(0, self.width_bits, LITERAL_BITS)
        parts = [self._literal(s, min(LITERAL_BITS, self.width_bits - s)) for s in starts]
        return parts[0] if len(parts) == 1 else "{" + ",\n".join(reversed(parts)) + "}"

    def _literal(self, start: int, bits: int) -> str:
        return f"{bits}'h{(self.value >> start) & ((1 << bits) - 1):x}"


@dataclass(frozen=True)
class Rtl:
    """One instance of `module` of hw/.

    `memories` are by the name of the parameter that takes the file name. Ports are clk_i, rst_i,
    in<i>_{valid_i,ready_o,data_i} and out<i>_{space_i,issue_o,valid_o,data_o}; `buses` maps a port
    of the module to those of them that are its parts, the one in the least significant bits first. `loaded`
    are memories beside the instance that are filled at start-up, by the prefix of the ports
    <prefix>_addr_o and <prefix>_data_i that read them (codesign/rtl/large.py).
    """

    module: str
    parameters: Mapping[str, int] = field(default_factory=dict)
    vectors: Mapping[str, Vector] = field(default_factory=dict)
    memories: Mapping[str, Memory] = field(default_factory=dict)
    buses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    loaded: Mapping[str, Loaded] = field(default_factory=dict)


def instance_text(rtl: Rtl, name: str, files: Mapping[str, str], ports: Mapping[str, str]) -> str:
    """The instance `name`; `files` maps memory parameters to file names, `ports` port to net."""
    values = {k: str(v) for k, v in rtl.parameters.items()}
    values |= {k: v.text for k, v in rtl.vectors.items()}
    values |= {k: f'"{files[k]}"' for k in rtl.memories}
    joined = {port for parts in rtl.buses.values() for port in parts}
    nets = {port: net for port, net in ports.items() if port not in joined}
    for bus, parts in rtl.buses.items():
        nets[bus] = "{" + ", ".join(ports[port] for port in reversed(parts)) + "}"
    bound = f" #(\n{_bound(values)}\n)" if values else ""
    return f"{rtl.module}{bound} {name} (\n{_bound(nets)}\n);\n"


def _bound(values: Mapping[str, str]) -> str:
    return ",\n".join(f"    .{name}({value})" for name, value in values.items())
