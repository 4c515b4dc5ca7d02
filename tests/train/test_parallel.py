"""Two processes under torchrun train one network: on pictures in files, and by each procedure."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from codesign.data.dataset import Split
from codesign.recipe import DataSpec
from codesign.train import parallel
from codesign.train.batches import batch_count, training_batches

WORKER = Path(__file__).with_name("parallel_worker.py")
RECIPE = """
steps = ["train", "export", "lower"]
[model]
name = "resnet"
options = { channels = 4 }
[data]
name = "imagenet"
image_size = 8
validation_fraction = 0.25
augment = ["resized-crop", "flip"]
[train]
epochs = 2
batch = 8
optimiser = "sgd"
lr = 0.05
device = "cpu"
[board]
name = "pynq-z2"
"""

DIGITS = """
steps = ["train"]
[model]
name = "tfc"
options = { sizes = [8] }
[data]
name = "digits"
limit = 96
[board]
name = "pynq-z2"
"""
TRAIN = """
[train]
epochs = 1
batch = 32
device = "cpu"
"""
SHARED = {
    "inq": f"""
[quant]
weight_quantiser = "inq"
act_quantiser = "fixed"
{TRAIN}procedure = "inq"
[inq]
portions = [0.5, 1.0]
step_epochs = 1
""",
    "progressive": f"""
[quant]
quantiser = "fixed"
{TRAIN}procedure = "progressive"
[progressive]
step_epochs = 1
freeze_rounds = 2
freeze_epochs = 1
[distil]
teacher = "float"
epochs = 1
""",
    "fdqmp": f"""
[quant]
per_channel = true
{TRAIN}procedure = "fdqmp"
hold_epochs = 1
finetune_epochs = 1
[budget]
weights_kib = 1.0
""",
    "hinge": f"""
{TRAIN}hold_epochs = 1
finetune_epochs = 1
[budget]
weights_kib = 0.2
penalty = "hinge"
""",
}


def write_imagenet(folder: Path) -> None:
    """Three classes of 8 training and 3 test pictures, 20 by 14 pixels, of one colour and noise."""
    rng = np.random.default_rng(0)
    for part, count in (("train", 8), ("val", 3)):
        for label in range(3):
            own = folder / "imagenet" / part / f"n{label:08d}"
            own.mkdir(parents=True)
            for number in range(count):
                noise = rng.integers(0, 60, (14, 20, 3))
                noise[:, :, label] += 150
                Image.fromarray(noise.astype(np.uint8)).save(own / f"{number}.JPEG")


def torchrun(processes: int, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", str(processes), *arguments]
    root = Path(__file__).parents[2]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(root)}
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def equal_networks(out: Path) -> dict:
    """What the first process ended with, which must be what the second one did."""
    first, second = (torch.load(out / f"rank{rank}.pt") for rank in (0, 1))
    assert first["weights"].keys() == second["weights"].keys()
    for name, value in first["weights"].items():
        assert torch.equal(value.nan_to_num(), second["weights"][name].nan_to_num()), name
    assert first["history"] == second["history"]
    return first | {"graphs": (first["graph"], second["graph"])}


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> tuple[Path, str]:
    """The folder of all recipes, run by two processes one after the other, and what these said."""
    folder = tmp_path_factory.mktemp("runs")
    write_imagenet(folder)
    recipes = {"pictures": RECIPE} | {name: DIGITS + text for name, text in SHARED.items()}
    for name, text in recipes.items():
        (folder / f"{name}.toml").write_text(text)
    paths = [str(folder / f"{name}.toml") for name in recipes]
    done = torchrun(2, str(WORKER), str(folder), *paths)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder, done.stderr


def test_both_processes_end_with_the_same_network_and_one_writes(runs):
    folder, said = runs
    out = folder / "pictures"
    found = equal_networks(out)
    assert len(found["history"]) == 2 and found["graphs"] == (True, False)
    assert all(torch.isfinite(value.float()).all() for value in found["weights"].values())
    assert {"checkpoint.pt", "metrics.json", "model.onnx"} <= {path.name for path in out.iterdir()}
    assert said.split("test accuracy")[0].count("epoch   2/2") == 1


@pytest.mark.parametrize(
    ("name", "epochs"), [("inq", 2), ("progressive", 5), ("fdqmp", 3), ("hinge", 3)]
)
def test_procedures_that_several_processes_share(name, epochs, runs):
    assert len(equal_networks(runs[0] / name)["history"]) == epochs


def test_what_needs_one_process_is_refused_in_two(tmp_path):
    recipe = RECIPE.replace("[train]", '[train]\nprocedure = "local"')
    recipe = recipe.replace('optimiser = "sgd"', "").replace(
        '["train", "export", "lower"]', '["train"]'
    )
    (tmp_path / "recipe.toml").write_text(recipe)
    done = torchrun(
        *(2, "-m", "codesign", "run", str(tmp_path / "recipe.toml")),
        *("--data", str(tmp_path), "--out", str(tmp_path / "run")),
    )
    assert done.returncode != 0
    assert "procedure 'local' trains in one process, and torchrun started 2" in done.stderr


def test_shares_of_a_batch_are_the_batch(monkeypatch):
    split = Split(np.arange(22, dtype=np.uint8).reshape(22, 1, 1, 1), np.arange(22))

    def batches(rank: int, count: int) -> list[list[int]]:
        own = slice(rank, None, count) if count > 1 else slice(None)
        monkeypatch.setattr("codesign.train.batches.share", lambda: own)
        monkeypatch.setattr("codesign.train.batches.processes", lambda: count)
        generator = torch.Generator().manual_seed(3)
        return [y.tolist() for _, y in training_batches(split, DataSpec(), 255, 6, generator)]

    whole, first, second = batches(0, 1), batches(0, 2), batches(1, 2)
    assert [len(batch) for batch in whole] == [6, 6, 6, 4]
    assert [sorted(a + b) for a, b in zip(first, second, strict=True)] == [sorted(b) for b in whole]
    # Three processes: the last four samples would leave one with a single one.
    assert len(batches(0, 3)) == batch_count(22, 6) == 3


@pytest.mark.parametrize("rank", [0, 1])
def test_without_torchrun_there_is_one_process(rank, monkeypatch):
    monkeypatch.setenv("RANK", str(rank))
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert parallel.is_first() and parallel.processes() == 1
    with parallel.group("auto"):
        assert parallel.share() == slice(None)


@pytest.mark.parametrize(("wish", "backend"), [("auto", "nccl"), ("cuda", "nccl"), ("cpu", "gloo")])
def test_processes_meet_where_they_train(wish, backend, monkeypatch):
    """On a machine with GPUs, a recipe may still ask for the processor."""
    joined: list[str] = []
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "set_device", lambda index: joined.append(f"gpu {index}"))
    monkeypatch.setattr(torch.distributed, "init_process_group", joined.append)
    monkeypatch.setattr(torch.distributed, "destroy_process_group", lambda: None)
    monkeypatch.setenv("LOCAL_RANK", "1")
    with parallel.group(wish):
        assert joined == (["gpu 1", "nccl"] if backend == "nccl" else ["gloo"])
