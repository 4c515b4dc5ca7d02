"""One block as a design of its own: the sources of a module that holds nothing else."""

from __future__ import annotations

import re
from functools import cache

from codesign.blocks.base import Block, Params, Port
from codesign.cost.family import Family
from codesign.files import package_data
from codesign.rtl.instance import instance_text


def alone(block: Block, params: Params, family: Family, module: str = "alone") -> dict[str, str]:
    """Texts by file name: `module` around the instance of `block`, its memories, and those modules
    of hw/ that it is made of. The ports are the block's own.
    """
    rtl = block.rtl(params, family)
    files = {name: f"{name}.mem" for name in rtl.memories}
    widths = _port_widths(block)
    inner = instance_text(rtl, "dut", files, {port: port for port in widths})
    text = f"module {module} (\n{_port_list(widths)}\n);\n{inner}endmodule\n"
    memories = {files[name]: memory.text for name, memory in rtl.memories.items()}
    return {f"{module}.sv": text, **memories, **modules_of(rtl.module)}


def modules_of(*modules: str) -> dict[str, str]:
    """The files of hw/ that hold `modules` and all that these instantiate, by file name."""
    texts, waiting, found = _library(), list(modules), {}
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = texts[name]
            words = set(re.findall(r"\w+", re.sub(r"//.*", "", texts[name])))
            waiting += (words & texts.keys()) - {name}
    return {f"{name}.sv": found[name] for name in sorted(found)}


def _port_widths(block: Block) -> dict[str, int]:
    widths = {"clk_i": 1, "rst_i": 1}
    for i, port in enumerate(block.inputs()):
        widths |= _ends(f"in{i}", ("valid_i", "ready_o"), "data_i", port)
    for i, port in enumerate(block.outputs()):
        widths |= _ends(f"out{i}", ("space_i", "issue_o", "valid_o"), "data_o", port)
    return widths


def _ends(stream: str, flags: tuple[str, ...], data: str, port: Port) -> dict[str, int]:
    return {f"{stream}_{flag}": 1 for flag in flags} | {f"{stream}_{data}": port.bits}


def _port_list(widths: dict[str, int]) -> str:
    return ",\n".join(
        f"    {'input' if name.endswith('_i') else 'output'} logic [{bits - 1}:0] {name}"
        for name, bits in widths.items()
    )


@cache
def _library() -> dict[str, str]:
    """Text of each module of hw/; a file is called like its module."""
    return {path.stem: path.read_text() for path in package_data("hw").glob("*.sv")}
