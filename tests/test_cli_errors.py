"""What a user reads when something is wrong: golden texts, exit codes, and never a traceback.

`UPDATE_GOLDEN=1 pytest tests/test_cli_errors.py` writes the texts anew; read the difference.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from codesign.cli import main

GOLDEN = Path(__file__).parent / "golden" / "errors.txt"

# A name for the golden text, the command, its exit code.
CASES = (
    ("no such file", "estimate nothing.onnx --board pynq-z2", 2),
    ("not an ONNX file", "import text.onnx", 2),
    ("ONNX without quantisers", "import float.onnx", 2),
    ("an operator without hardware", "import unknown.onnx", 2),
    ("a board that is too small", "estimate net.onnx --board icebreaker-1pct", 3),
    ("a target out of reach", "estimate net.onnx --board icebreaker --target-fps 1e9", 3),
    ("an unknown board", "estimate net.onnx --board pynq-z3", 2),
    ("no board", "estimate net.onnx", 2),
    ("an unknown recipe", "run digits_pynq-z22 --out out", 2),
    ("an unknown recipe key", "run typo.toml --out out", 2),
    ("a recipe value out of range", "train range.toml --out out", 2),
    ("a folder that cannot be made", "estimate net.onnx --board pynq-z2 --out text.onnx/out", 2),
    ("nothing to resume", "train good.toml --out empty --resume", 2),
    ("nothing to export", "export bare", 2),
    ("nothing to report", "report empty", 2),
    ("no design", "simulate empty", 2),
    ("a damaged design", "simulate damaged", 2),
    ("a scale without its type", "import net.onnx --input-scale 1/255", 2),
    ("a fraction that is none", "import net.onnx --input uint8 --input-scale 1/0", 2),
    ("an input type that is none", "import net.onnx --input float", 2),
    ("inputs of another shape", "import net.onnx --check 1 --inputs x.npy", 2),
    ("inputs that are no numbers", "import net.onnx --check 1 --inputs nan.npy", 2),
    ("inputs of another kind", "import net.onnx --check 1 --inputs words.npy", 2),
    ("too few inputs", "import net.onnx --check 4 --inputs three.npy", 2),
    ("inputs that are no array", "import net.onnx --check 1 --inputs text.onnx", 2),
    ("inputs without a check", "import net.onnx --inputs three.npy", 2),
    (
        "inputs that the host cannot send",
        "import net.onnx --input uint8 --check 1 --inputs half.npy",
        2,
    ),
    ("a design without a board", "import net.onnx --out out", 2),
    ("an unknown command", "estimat net.onnx", 2),
    ("an unknown option", "boards --jsn", 2),
)


def _tensor(name: str, *shape: int):
    import onnx

    return onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)


def _model(path: Path, nodes: list, **weights: np.ndarray) -> None:
    """An ONNX file with input x (1, 4), output y (1, 4), and QONNX's quantiser at hand."""
    import onnx

    scalars = {"one": np.float32(1), "zero": np.float32(0), "bits": np.float32(4)}
    values = {k: np.asarray(v, np.float32) for k, v in {**scalars, **weights}.items()}
    initialisers = [onnx.numpy_helper.from_array(v, k) for k, v in values.items()]
    graph = onnx.helper.make_graph(
        nodes, "g", [_tensor("x", 1, 4)], [_tensor("y", 1, 4)], initialisers
    )
    opsets = [
        onnx.helper.make_opsetid("", 13),
        onnx.helper.make_opsetid("qonnx.custom_op.general", 1),
    ]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8), path)


def _node(op: str, inputs: str, output: str, **attributes: object):
    import onnx

    domain = "qonnx.custom_op.general" if op == "Quant" else ""
    return onnx.helper.make_node(
        op, inputs.split(), [output], name=f"{op}_{output}", domain=domain, **attributes
    )


def _quant(source: str, output: str):
    return _node(
        "Quant", f"{source} one zero bits", output, signed=1, narrow=0, rounding_mode="ROUND"
    )


RECIPE = """
[model]
name = "tfc"
[data]
name = "digits"
[train]
{line}
[board]
name = "pynq-z2"
"""


@pytest.fixture(scope="module")
def bench(tmp_path_factory) -> Path:
    """A folder with one good network and everything that can be wrong."""
    folder = tmp_path_factory.mktemp("bench")
    weight = np.arange(16).reshape(4, 4) % 7 - 3
    product = _node("MatMul", "q w", "y")
    _model(folder / "net.onnx", [_quant("x", "q"), _quant("v", "w"), product], v=weight)
    _model(folder / "float.onnx", [_node("MatMul", "x v", "y")], v=weight)
    _model(folder / "unknown.onnx", [_quant("x", "q"), _node("Erf", "q", "y")])
    (folder / "text.onnx").write_text("This is a letter, not a network.\n")
    arrays = {"x": np.zeros((3, 5)), "nan": np.full((3, 4), np.nan), "three": np.zeros((3, 4))}
    arrays |= {"words": np.array([["a"] * 4]), "half": np.full((1, 4), 0.5)}
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    for name, line in (("good", "epochs = 1"), ("typo", "epoch = 1"), ("range", "epochs = 0")):
        (folder / f"{name}.toml").write_text(RECIPE.format(line=line))
    (folder / "empty").mkdir()
    (folder / "bare").mkdir()
    (folder / "damaged").mkdir()
    (folder / "damaged" / "design.json").write_text('{"name": "x", "board": 3}')
    return folder


def _said(command: str, capsys) -> tuple[int, str]:
    """Exit code, and what a person reads: stderr, or the verdict on stdout."""
    code = main(shlex.split(command))
    captured = capsys.readouterr()
    text = captured.out if code == 3 else captured.err
    return code, "\n".join(map(str.rstrip, text.splitlines())).strip()


def _stable(code: int, text: str) -> str:
    """Of a result the verdict without its numbers, which follow the cost model; no list of ops."""
    if code == 3:
        verdict = re.findall("^(?:Fits|Does not fit|The target).*", text, re.MULTILINE)
        return re.sub(r"\d[\d,.]*%?(?= )", "N", "\n".join(verdict))
    return re.sub("supported are .*?:", "supported are ...:", text)


def test_texts_are_the_golden_ones(bench, capsys, monkeypatch):
    monkeypatch.chdir(bench)
    monkeypatch.setenv("COLUMNS", "100")
    text = "".join(
        f"# {name}\n$ codesign {command}\n{_stable(*_said(command, capsys))}\n\n"
        for name, command, _ in CASES
    )
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()


@pytest.mark.parametrize(("command", "code"), [case[1:] for case in CASES], ids=lambda v: str(v))
def test_exit_code_and_no_traceback(bench, capsys, monkeypatch, command, code):
    monkeypatch.chdir(bench)
    found, text = _said(command, capsys)
    assert found == code
    assert text
    assert "Traceback" not in text
    assert not (bench / "out").exists()


def test_json_errors_are_for_programs(bench, capsys, monkeypatch):
    monkeypatch.chdir(bench)
    assert main(["estimate", "net.onnx", "--board", "pynq-z3", "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "BadInput"
    assert error["fields"]["board"] == "pynq-z3"
    assert "pynq-z2" in error["message"]


def test_json_of_a_board_that_is_too_small_is_a_result(bench, capsys, monkeypatch):
    monkeypatch.chdir(bench)
    assert main(["estimate", "net.onnx", "--board", "icebreaker-1pct", "--json"]) == 3
    verdict = json.loads(capsys.readouterr().out)["verdict"]
    assert verdict["fits"] is False
    assert verdict["gaps"]
    assert verdict["contributors"]


@pytest.mark.parametrize(
    ("failure", "code", "words"),
    [
        (KeyboardInterrupt(), 130, "stopped by the user"),
        (OSError(28, "No space left on device", "out/x"), 2, "No space left on device"),
        (PermissionError(13, "Permission denied", "out/x"), 2, "out/x"),
        (ZeroDivisionError("division by zero"), 1, "a mistake in codesign"),
    ],
)
def test_other_failures_become_one_sentence(failure, code, words, capsys, monkeypatch):
    def fail() -> list:
        raise failure

    monkeypatch.setattr("codesign.board.all_boards", fail)
    assert main(["boards"]) == code
    err = capsys.readouterr().err
    assert words in err
    assert len(err.strip().splitlines()) == 1


def test_debug_shows_where(capsys, monkeypatch):
    monkeypatch.setattr("codesign.board.all_boards", lambda: 1 / 0)
    assert main(["--debug", "boards"]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().err
