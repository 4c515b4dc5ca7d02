"""`python -m tests.hw.conformance`: random blocks and random graphs against model and simulator.

Every batch is one Verilator build. Finished batches are kept in a log, by the content of all sources:
the same command goes on where it was stopped. Ends with one line of sums; the exit code tells of
differences.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from pathlib import Path

from codesign.files import package_data
from codesign.tools.verilator import INSTALL
from tests.hw.graph_batch import Graph
from tests.hw.graph_batch import differences as graph_differences
from tests.hw.harness import case_of, verilator_version
from tests.hw.harness import differences as block_differences
from tests.hw.random_blocks import random_block
from tests.marks import VERILATOR

BATCHES = {"blocks": 50, "graphs": 25}  # instances of a build
LOG = Path("runs/conformance.jsonl")
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Batch:
    """Seeds first to last, both included, of one kind; what came of it once it has run."""

    kind: str
    first: int
    last: int
    seconds: float = 0.0
    differences: list[str] = field(default_factory=list)

    @property
    def seeds(self) -> range:
        """Its seeds."""
        return range(self.first, self.last + 1)

    def __str__(self) -> str:
        return (
            f"{self.kind} {self.first} to {self.last}: {len(self.differences)} differences, "
            f"{self.seconds:.0f} s"
        )


def main() -> int:
    """Run what the log does not hold yet; 1 when anything differs."""
    if VERILATOR is None:
        raise SystemExit(f"Verilator runs the hardware and is not installed: {INSTALL}")
    options = _options()
    begin, key = time.time(), sources_digest()
    wanted = [*batches("blocks", options.blocks), *batches("graphs", options.graphs)]
    done = read_log(options.log, key)
    waiting = [b for b in wanted if (b.kind, b.first, b.last) not in done]
    print(f"{len(wanted)} batches, {len(wanted) - len(waiting)} of them done before", flush=True)
    options.log.parent.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(options.jobs) as pool, options.log.open("a") as log:
        for future in as_completed([pool.submit(run, batch) for batch in waiting]):
            batch = future.result()
            done[batch.kind, batch.first, batch.last] = batch
            print(json.dumps({"sources": key, **asdict(batch)}), file=log, flush=True)
            print(
                f"{batch} ({len(done)} of {len(wanted)})", *batch.differences, sep="\n", flush=True
            )
    return summary([done[b.kind, b.first, b.last] for b in wanted], time.time() - begin)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=2000)
    parser.add_argument("--graphs", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--log", type=Path, default=LOG)
    return parser.parse_args()


def batches(kind: str, count: int) -> Iterator[Batch]:
    """Seeds 0 to `count` - 1 in builds of BATCHES[kind]."""
    size = BATCHES[kind]
    for first in range(0, count, size):
        yield Batch(kind, first, min(count, first + size) - 1)


def run(batch: Batch) -> Batch:
    """The batch with its differences."""
    begin = time.time()
    find = _blocks if batch.kind == "blocks" else _graphs
    try:
        found = list(find(batch.seeds))
    except Exception as error:  # noqa: BLE001 - a batch that cannot run is a finding
        found = [f"{batch.kind} {batch.first} to {batch.last}: {type(error).__name__}: {error}"]
    return Batch(batch.kind, batch.first, batch.last, time.time() - begin, found)


def _blocks(seeds: range) -> Iterator[str]:
    cases = [case_of(*random_block(seed), seed) for seed in seeds]
    with tempfile.TemporaryDirectory() as folder:
        for gaps in (None, 1):
            for number, text in block_differences(cases, Path(folder), gaps):
                yield f"block {seeds[number]}: {text}"


def _graphs(seeds: range) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield from graph_differences([Graph(seed) for seed in seeds], Path(folder))


def summary(done: list[Batch], elapsed_s: float) -> int:
    """Print the sums; 1 when anything differs."""
    counts = {kind: sum(len(b.seeds) for b in done if b.kind == kind) for kind in BATCHES}
    found = sum(len(b.differences) for b in done)
    print(
        f"conformance: {counts['blocks']} blocks and {counts['graphs']} graphs run, {found} "
        f"differences; {sum(b.seconds for b in done):.0f} s of builds and runs, {elapsed_s:.0f} s now"
    )
    return int(found > 0)


def sources_digest() -> str:
    """Hash of everything that a result depends on."""
    digest = hashlib.sha256(verilator_version())
    python = [*(ROOT / "codesign").rglob("*.py"), *(ROOT / "tests" / "hw").rglob("*.py")]
    for path in sorted([*package_data("hw").rglob("*.*v"), *python]):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def read_log(path: Path, key: str) -> dict[tuple[str, int, int], Batch]:
    """Batches that these very sources have run."""
    if not path.exists():
        return {}
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    own = [Batch(**row) for row in rows if row.pop("sources") == key]
    return {(b.kind, b.first, b.last): b for b in own}


if __name__ == "__main__":
    sys.exit(main())
