"""Laws of the source tree that no single module can check."""

from __future__ import annotations

import re
from pathlib import Path

import codesign
from codesign.blocks import BLOCKS
from codesign.files import package_data

SOURCES = Path(codesign.__file__).parent
ONNX_BORDER = ("graph", "blocks")


def test_operators_are_compared_at_the_onnx_border_only() -> None:
    found = [
        f"{path.relative_to(SOURCES)}:{number}"
        for path in sorted(SOURCES.rglob("*.py"))
        if not str(path.relative_to(SOURCES)).startswith(ONNX_BORDER)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(r"op_type\s*(==|!=|in\b)", line)
    ]
    assert found == []


def test_a_block_is_one_python_file_and_one_module_of_the_same_name() -> None:
    modules = {path.stem for path in package_data("hw").glob("*.sv")}
    names = {block.__module__.rpartition(".")[2] for block in BLOCKS}
    # `fork` is a keyword of SystemVerilog.
    assert {"fork_stream" if name == "fork" else name for name in names} <= modules
    assert len(names) == len(BLOCKS)


def test_only_board_files_and_recipes_name_a_board_in_logic() -> None:
    boards = "|".join(re.escape(path.stem) for path in package_data("boards").glob("*.toml"))
    compared = re.compile(rf"(==|!=|\bin)\s*\(?[\"']({boards})[\"']")
    found = [path.name for path in SOURCES.rglob("*.py") if compared.search(path.read_text())]
    assert found == []
