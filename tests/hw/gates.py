"""`python -m tests.hw.gates`: netlists of a sample of every block in Icarus, against the law.

A block alone is synthesised (codesign/tools/yosys.py) and simulated with the cell models that come
with Yosys, between the sources, channels and sinks of harness.py: every bit must be that of
`execute`, every cycle that of the simulator, as for the RTL under Verilator.
"""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from codesign.blocks import BLOCKS
from codesign.files import package_data
from codesign.rtl.alone import alone
from codesign.rtl.instance import Rtl
from codesign.tools.yosys import Job, cell_models, find_yosys, write_netlist
from tests.hw.harness import BENCH, Case, bench_text, case_of, prepared
from tests.hw.records import differences_in

TOP = "gates"
DRIVER = """\
module drive;
  logic clk = 0, rst = 1;
  int cycles;
  bench dut (.clk_i(clk), .rst_i(rst));
  initial begin
    if (!$value$plusargs("cycles=%d", cycles)) cycles = 0;
    repeat (2) begin #1 clk = 1; #1 clk = 0; end
    rst = 0;
    repeat (cycles) begin #1 clk = 1; #1 clk = 0; end
    $finish;
  end
endmodule
"""


@dataclass(frozen=True)
class Netlist:
    """A case in the cells of a family; DSPs only where Yosys has a model of them (xc7)."""

    case: Case
    family: str
    dsp: bool = False

    @property
    def options(self) -> tuple[str, ...]:
        """Of synthesis: block RAM has no model."""
        return ("-nobram",) if self.dsp else ("-nobram", "-nodsp")

    def __str__(self) -> str:
        return f"{self.case.label} for {self.family}{' with DSPs' if self.dsp else ''}"

    def path(self) -> Path:
        """The netlist, from the cache where it has been made before."""
        sources = alone(self.case.block, self.case.params, self.case.family, TOP)
        return write_netlist(Job(sources, TOP, self.family, options=self.options), timeout_s=1200)


def sample() -> Iterator[Netlist]:
    """The last example of every block for two families, a folding in the middle; those with
    products also in DSPs. Memories are LUTs: a block RAM that a style asks for has no model."""
    for cls in BLOCKS:
        block, params = cls.examples()[-1]
        plain = [f for f in block.legal_folds() if f.memory == "lut"]
        luts = [f for f in plain if f.multiplier == "lut"]
        case = case_of(block.folded(luts[len(luts) // 2]), params, 0)
        yield from (Netlist(case, family) for family in ("xc7", "xcup"))
        dsps = [f for f in plain if f.multiplier == "dsp"]
        if dsps:
            yield Netlist(case_of(block.folded(dsps[len(dsps) // 2]), params, 0), "xc7", True)


def differences(netlist: Netlist, folder: Path) -> list[str]:
    """Where the gates are not as the law says: free-running, then with random gaps."""
    case = replace(netlist.case)
    case.__dict__["rtl"] = Rtl(TOP)
    program = _compiled(case, netlist, folder)
    found = []
    for seed in (None, 1):
        times = prepared([case], folder, seed)
        last = max(max(released) for t in times for _, released in t.values())
        command = ("vvp", "-n", program, f"+cycles={last + 20}")
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            return [f"{netlist}: Icarus stopped: {done.stdout[-500:]}{done.stderr[-500:]}"]
        found += [f"{netlist}: {text}" for _, text in differences_in(done.stdout, [case], times)]
    return found


def _compiled(case: Case, netlist: Netlist, folder: Path) -> Path:
    """Icarus reads no checks at elaboration: the channel of the bench goes without."""
    checks = re.compile(r"  if \([^\n]*begin : gen_check\w*\n.*?\n  end\n", re.DOTALL)
    channel = checks.sub("", (package_data("hw") / "channel.sv").read_text())
    gates = powered_up(netlist.path().read_text())
    bench = bench_text([case])
    texts = {"drive.sv": DRIVER, "bench.sv": bench, "channel.sv": channel, "gates.v": gates}
    for name, text in texts.items():
        (folder / name).write_text(text)
    ends = [BENCH / f"{name}.sv" for name in ("monitor", "token_sink", "token_source")]
    sources = [*texts, cell_models(netlist.family), *ends]
    command = ["iverilog", "-g2012", "-o", "gates.vvp", "-s", "drive", *map(str, sources)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{netlist}: {done.stdout[-1000:]}{done.stderr[-3000:]}"
    return folder / "gates.vvp"


def powered_up(netlist: str) -> str:
    """`netlist` with a random bit in every register whose first value does not matter."""
    dice = random.Random(0)
    return re.sub(r"\.INIT\(1'hx\)", lambda _: f".INIT(1'h{dice.randrange(2)})", netlist)


def main() -> int:
    """Run the whole sample; 1 when anything differs."""
    if shutil.which("iverilog") is None:
        raise SystemExit(
            "Icarus simulates the netlists and is not installed: apt-get install iverilog"
        )
    tool, begin, count, found = find_yosys(), time.time(), 0, []
    for netlist in sample():
        with tempfile.TemporaryDirectory() as folder:
            new = differences(netlist, Path(folder))
        count, found = count + 1, found + new
        print(
            f"{netlist}: {len(new)} differences ({time.time() - begin:.0f} s)",
            *new,
            sep="\n",
            flush=True,
        )
    seconds = time.time() - begin
    print(
        f"netlists ({tool.tool} {tool.version}): {count} run, {len(found)} differences; {seconds:.0f} s"
    )
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
