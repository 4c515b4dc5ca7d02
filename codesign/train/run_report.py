"""What the report of a run shows beside its design: widths learned, curves, accuracies, origin."""

from __future__ import annotations

import msgspec

from codesign.report.convert import design_report, provenance_part, shortfall
from codesign.report.data import AccuracyPart, Fact, ReportData, WidthPart
from codesign.train.run_result import RunResult
from codesign.train.training import Trained


def report_of(result: RunResult) -> ReportData:
    """Everything that the run has made so far, for `codesign.report.render`."""
    base = _design_part(result)
    trained = result.trained
    return msgspec.structs.replace(
        base,
        command=str(result.provenance["command"]),
        provenance=_facts(result),
        widths=_widths(trained) if trained else (),
        history=trained.history if trained else (),
        accuracies=_accuracies(result),
        notes=(*base.notes, *_notes(result)),
    )


def _design_part(result: RunResult) -> ReportData:
    title = result.recipe.title or f"{result.recipe.model.name} on {result.board.title}"
    if result.design is None or result.estimate is None:
        return ReportData(title=title)
    data = design_report(
        result.design,
        result.board,
        result.estimate,
        simulation=result.simulation,
        bitwidths=result.table,
        title=title,
    )
    proof = result.planned.proven if result.planned else ""
    return msgspec.structs.replace(data, verdict=msgspec.structs.replace(data.verdict, proof=proof))


def _facts(result: RunResult) -> tuple[Fact, ...]:
    seconds = ", ".join(f"{step} {s:.1f}" for step, s in result.seconds.items())
    return (
        Fact("Data", result.recipe.data.name),
        Fact("Model", result.recipe.model.name),
        Fact("Seconds", seconds),
        *provenance_part(result.provenance),
    )


def _widths(trained: Trained) -> tuple[WidthPart, ...]:
    """One entry a quantised layer; the activation of a layer is one of its own name."""
    sizes = {(h.name, h.role): h.numel for h in trained.handles}
    layers = list(dict.fromkeys(name for name, role in trained.bits if role != "input"))
    return tuple(
        WidthPart(
            layer=layer,
            weight_bits=trained.bits.get((layer, "weight")),
            activation_bits=trained.bits.get((layer, "act")),
            start_weight_bits=trained.start_bits.get((layer, "weight")),
            start_activation_bits=trained.start_bits.get((layer, "act")),
            weights=sizes.get((layer, "weight"), 0),
        )
        for layer in layers
    )


def _accuracies(result: RunResult) -> tuple[AccuracyPart, ...]:
    if result.trained is None:
        return ()
    frames = len(result.trained.data.test)
    found = [AccuracyPart("torch", result.trained.test_accuracy, frames)]
    if result.checks is not None:
        checks = result.checks
        found.append(AccuracyPart("qonnx", float(checks.export.qonnx_accuracy), frames))
        found.append(AccuracyPart("integer", checks.integer_accuracy, frames))
    return tuple(found)


def _notes(result: RunResult) -> tuple[str, ...]:
    notes = [shortfall(result.planned)] if result.planned else []
    if result.trained is not None and result.trained.projection is not None:
        notes.append(result.trained.projection.sentence)
    if result.trained is not None:
        notes.append(result.trained.remark)
    if result.checks is not None:
        notes.append(result.checks.sentence)
    return tuple(note for note in notes if note)
