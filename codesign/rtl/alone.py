"""One block as a design of its own: the sources of a module that holds nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from codesign.blocks.base import Block, Params, Port
from codesign.cost.family import Family
from codesign.files import package_data
from codesign.rtl.instance import Rtl, instance_text

# The module of an instance: a name before parameters, or before a name and ports.
INSTANCE = re.compile(r"\b(\w+)\s+(?:#\s*\(|\w+\s*\()")


def alone(block: Block, params: Params, family: Family, module: str = "alone") -> dict[str, str]:
    """Texts by file name: `module` around the instance of `block`, its memories, and those modules
    of hw/ that it is made of. The ports are the block's own.
    """
    return wrapped(block.rtl(params, family), port_widths(block), module)


def wrapped(rtl: Rtl, widths: Mapping[str, int], module: str) -> dict[str, str]:
    """As `alone`, for an instance whose ports have these widths; its hierarchy is kept where it is
    part of a larger top."""
    files = {name: f"{module}_{name}.mem" for name in rtl.memories}
    inner = instance_text(rtl, "dut", files, {port: port for port in widths})
    text = f"(* keep_hierarchy *)\nmodule {module} (\n{_port_list(widths)}\n);\n{inner}endmodule\n"
    memories = {files[name]: memory.text for name, memory in rtl.memories.items()}
    return {f"{module}.sv": text, **memories, **modules_of(rtl.module)}


def side_by_side(top: str, parts: Mapping[str, Mapping[str, int]]) -> str:
    """Text of a module `top` that holds one of each module of `parts` (port widths by name), with
    all ports led outside."""
    ports = {f"{m}_{port}": bits for m, widths in parts.items() for port, bits in widths.items()}
    inner = (
        f"{module} u_{module} (\n"
        + ",\n".join(f"    .{port}({module}_{port})" for port in widths)
        + "\n);\n"
        for module, widths in parts.items()
    )
    return f"module {top} (\n{_port_list(ports)}\n);\n{''.join(inner)}endmodule\n"


def modules_of(*modules: str) -> dict[str, str]:
    """The files of hw/ that hold `modules` and all that these instantiate, by file name."""
    texts, waiting, found = _library(), list(modules), {}
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = texts[name]
            named = set(INSTANCE.findall(re.sub(r"//.*", "", texts[name])))
            waiting += (named & texts.keys()) - {name}
    return {f"{name}.sv": found[name] for name in sorted(found)}


def port_widths(block: Block) -> dict[str, int]:
    """Bits of each port of the module of `block`."""
    widths = {"clk_i": 1, "rst_i": 1}
    for i, port in enumerate(block.inputs()):
        widths |= _ends(f"in{i}", ("valid_i", "ready_o"), "data_i", port)
    for i, port in enumerate(block.outputs()):
        widths |= _ends(f"out{i}", ("space_i", "issue_o", "valid_o"), "data_o", port)
    return widths


def _ends(stream: str, flags: tuple[str, ...], data: str, port: Port) -> dict[str, int]:
    return {f"{stream}_{flag}": 1 for flag in flags} | {f"{stream}_{data}": port.bits}


def _port_list(widths: Mapping[str, int]) -> str:
    return ",\n".join(
        f"    {'input' if name.endswith('_i') else 'output'} logic [{bits - 1}:0] {name}"
        for name, bits in widths.items()
    )


@cache
def _library() -> dict[str, str]:
    """Text of each module of hw/; a file is called like its module."""
    return {path.stem: path.read_text() for path in package_data("hw").glob("*.sv")}
