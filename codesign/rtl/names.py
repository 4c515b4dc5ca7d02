"""Identifiers of the generated SystemVerilog: readable, stable, never twice the same."""

from __future__ import annotations

import re
from collections.abc import Mapping

from codesign.design import HOST, Design


def identifiers(design: Design) -> Mapping[str, str]:
    """Identifier of each block, and of the host: its name with every foreign character as "_".

    Where two names become the same a number is appended. Identifiers are only used with a suffix,
    so that they may be words of the language.
    """
    found = {HOST: HOST}
    for block in design.blocks:
        found[block.name] = _free(_plain(block.name), set(found.values()))
    return found


def end_name(end: str, port: str, known: Mapping[str, str]) -> str:
    """The end "block.out0" as "block_out0"; the host's end is called `port`."""
    block, _, own = end.rpartition(".")
    return f"{known[block]}_{own}" if block else f"{known[end]}_{port}"


def _plain(name: str) -> str:
    word = re.sub(r"\W", "_", name, flags=re.ASCII)
    return word if word[:1].isalpha() else f"b{word}"


def _free(wanted: str, taken: set[str]) -> str:
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted}_{number}", number + 1
    return name
