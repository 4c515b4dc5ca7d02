"""Everything the report draws, as plain frozen records; `report.json` of a run folder holds them.

Every part is optional: the report of an imported design has no training curves, that of an
unfinished run no simulation. `codesign.report.convert` makes the parts from the results of
estimate, simulate and the bit-width what-if; the training pipeline fills the rest.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from codesign.errors import BadInput
from codesign.files import write_bytes_atomic

FILE_NAME = "report.json"

Counts = dict[str, float]
"""Device primitives by name: "lut", "lutram", "ff", "dsp" and the family's memory kinds."""


class Fact(msgspec.Struct, frozen=True):
    """One line of the provenance table: seed, versions, git commit, recipe, machine, duration."""

    label: str
    value: str


class Quantity(msgspec.Struct, frozen=True):
    """A number with its source: "measured", "simulated", "fitted" or "analytic".

    The unit is in the name of the field that holds it.
    """

    value: float
    source: str


class Contributor(msgspec.Struct, frozen=True):
    """A block or stream that takes much of one resource: `amount` primitives of `resource`."""

    part: str
    resource: str
    amount: float


class VerdictPart(msgspec.Struct, frozen=True):
    """Whether the design fits the board, in one sentence, and what to do when it does not.

    `sentence` reads "Fits BOARD: why" or "Does not fit BOARD: why"; the report prints its head large.
    `shortfall` is a sentence where a design fits but misses its target, `proof` one where the search
    has proven something of it; `gaps` tells by how much each exceeded resource is over its budget;
    `levers` are sentences.
    """

    fits: bool
    sentence: str
    shortfall: str = ""
    proof: str = ""
    gaps: Counts = {}
    contributors: tuple[Contributor, ...] = ()
    levers: tuple[str, ...] = ()


class BoardPart(msgspec.Struct, frozen=True):
    """The board: `budget` is what a design may use of `device`, what the part holds."""

    name: str
    title: str
    part: str
    clock_hz: float
    device: Counts
    budget: Counts
    source: str = ""


class Term(msgspec.Struct, frozen=True):
    """One physical part of a block ("adder tree", "weights", ...) and what it occupies."""

    name: str
    resources: Counts


class BlockPart(msgspec.Struct, frozen=True, kw_only=True):
    """One hardware block.

    `kind` is the class name ("MatVec"), `size` its shape in words ("64 x 784, 1 vector"); types are
    written as in "int4", "uint8", "bipolar", and `weight_type` is empty without weights.
    `interval_cycles` is the least number of cycles per frame that its own program allows. `low` and
    `high` bound the fitted counts nine times in ten; `source` says where `resources` come from.
    """

    name: str
    kind: str
    size: str = ""
    input_type: str = ""
    weight_type: str = ""
    output_type: str = ""
    pe: int = 1
    simd: int = 1
    multiplier: str = ""
    memory: str = ""
    interval_cycles: int = 0
    terms: tuple[Term, ...] = ()
    resources: Counts = {}
    low: Counts = {}
    high: Counts = {}
    source: str = "analytic"
    origins: tuple[str, ...] = ()


class StreamPart(msgspec.Struct, frozen=True, kw_only=True):
    """One FIFO between `source` and `target` (port names such as "fc1.out0", or "host").

    `high_water` is the largest number of tokens the simulator saw in it, None before simulation.
    """

    source: str
    target: str
    qtype: str
    lanes: int
    bits: int
    beats_per_frame: int
    depth: int
    style: str
    high_water: int | None = None
    resources: Counts = {}


class WidthPart(msgspec.Struct, frozen=True, kw_only=True):
    """Learned bit widths of one layer.

    `weight_bits` and `activation_bits` are what was exported (None where the layer has none);
    `start_*` the widths training began with; `weights` the number of weights.
    """

    layer: str
    weight_bits: float | None = None
    activation_bits: float | None = None
    start_weight_bits: float | None = None
    start_activation_bits: float | None = None
    weights: int = 0


class EpochPart(msgspec.Struct, frozen=True, kw_only=True):
    """One epoch of training.

    `phase` names the phase ("float", "learn bits", "fixed bits", ...); accuracies are fractions
    0..1; `board_ratio` is the predicted demand of the scarcest resource over its budget (<= 1
    fits); `board_lambda` the weight of the board term; `bits` maps a layer to its mean weight bits.
    """

    epoch: int
    phase: str = ""
    train_loss: float | None = None
    train_accuracy: float | None = None
    validation_accuracy: float | None = None
    board_ratio: float | None = None
    board_lambda: float | None = None
    seconds: float | None = None
    bits: dict[str, float] = {}


class StagePart(msgspec.Struct, frozen=True):
    """Shares (0..1) of the steady state in which a stage works, waits for input, or for space."""

    name: str
    busy: float
    starved: float
    blocked: float


class TimelineRow(msgspec.Struct, frozen=True):
    """Share (0..1) of each time bin in which the stage called `name` works."""

    name: str
    busy: tuple[float, ...]


class TimelinePart(msgspec.Struct, frozen=True):
    """Occupancy over time: bin number i covers cycles from `start_cycle + i * bin_cycles` on."""

    start_cycle: int
    bin_cycles: float
    rows: tuple[TimelineRow, ...]


class SimulationPart(msgspec.Struct, frozen=True, kw_only=True):
    """What the cycle-level simulator found for `frames` frames at `clock_hz`.

    `steady` says how the interval is known: "free" or "paced" (both proven), or "bounded".
    """

    interval_cycles: float
    latency_cycles: int
    total_cycles: int
    fps: float
    clock_hz: float
    frames: int
    io_bound: bool = False
    steady: str = "free"
    stages: tuple[StagePart, ...] = ()
    timeline: TimelinePart | None = None


class StartupPart(msgspec.Struct, frozen=True):
    """What passes before the first frame, while memories without initial contents are filled."""

    cycles: int
    seconds: float
    source: str = "analytic"


class BitwidthRow(msgspec.Struct, frozen=True):
    """The network at one width; `fps` is None when no folding fits.

    `low` and `high` bound the fitted counts nine times in ten.
    """

    bits: int
    resources: Counts
    fps: float | None
    fits: bool
    low: Counts = {}
    high: Counts = {}


class LayerBitwidths(msgspec.Struct, frozen=True):
    """One layer at each width, the others as they are (`present_bits` is its own)."""

    layer: str
    present_bits: int
    rows: tuple[BitwidthRow, ...]


class BitwidthPart(msgspec.Struct, frozen=True):
    """The per-bitwidth table.

    `uniform` and `layers` keep the folding of the design, each row of `refolded` is folded anew for
    the most frames per second that fit; `assumption` says what 1 bit means and what is kept.
    """

    uniform: tuple[BitwidthRow, ...]
    layers: tuple[LayerBitwidths, ...] = ()
    refolded: tuple[BitwidthRow, ...] = ()
    assumption: str = ""


class AccuracyPart(msgspec.Struct, frozen=True):
    """A measured accuracy (fraction 0..1) on `frames` samples of `split`.

    `stage` is the form of the network that was run: "float", "torch" (quantised), "qonnx" (the
    exported file) or "integer" (the lowered graph).
    """

    stage: str
    value: float
    frames: int
    split: str = "test"
    note: str = ""


class HostPart(msgspec.Struct, frozen=True, kw_only=True):
    """What the accelerator takes or gives: an integer q that stands for scale * q + offset.

    `shape` is in stream order (channels innermost), `onnx_shape` the model's own.
    """

    name: str
    shape: tuple[int, ...]
    qtype: str
    onnx_shape: tuple[int, ...] = ()
    scale: float = 1.0
    offset: float = 0.0
    meaning: str = ""


class ReportData(msgspec.Struct, frozen=True, kw_only=True):
    """All that one report shows.

    `adapters` is what the AXI4-Stream adapters take; `command` reproduces the run; `clock` says in
    a sentence which clock the depth of the logic allows; `notes` are sentences of import and
    lowering (for instance how the input is quantised); `accuracies` are in the order of the flow,
    the last is the headline.
    """

    title: str
    command: str = ""
    provenance: tuple[Fact, ...] = ()
    verdict: VerdictPart | None = None
    board: BoardPart | None = None
    fps: Quantity | None = None
    latency_s: Quantity | None = None
    startup: StartupPart | None = None
    bottleneck: str = ""
    blocks: tuple[BlockPart, ...] = ()
    streams: tuple[StreamPart, ...] = ()
    adapters: Counts = {}
    total: Counts = {}
    total_low: Counts = {}
    total_high: Counts = {}
    resources_source: str = "analytic"
    clock: str = ""
    input: HostPart | None = None
    output: HostPart | None = None
    widths: tuple[WidthPart, ...] = ()
    history: tuple[EpochPart, ...] = ()
    simulation: SimulationPart | None = None
    bitwidths: BitwidthPart | None = None
    accuracies: tuple[AccuracyPart, ...] = ()
    notes: tuple[str, ...] = ()


def save_report_data(data: ReportData, folder: Path) -> Path:
    """Write report.json to `folder`, whole or not at all, and return its path."""
    path = Path(folder) / FILE_NAME
    write_bytes_atomic(path, msgspec.json.format(msgspec.json.encode(data), indent=1) + b"\n")
    return path


def load_report_data(folder: Path) -> ReportData:
    """Read report.json of `folder`; raises BadInput when it is missing or not of this form."""
    path = Path(folder) / FILE_NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=ReportData)
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror})", path=str(path)) from error
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise BadInput(
            f"{path}: is not the data of a report ({error}); run the recipe again",
            path=str(path),
        ) from error
