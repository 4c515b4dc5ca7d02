"""The report's text and figures: what is in the data is on the page, and nothing else."""

from __future__ import annotations

import re
from html import unescape
from itertools import pairwise
from xml.etree import ElementTree

import msgspec
import pytest

from codesign.errors import BadInput
from codesign.report.data import (
    BlockPart,
    Contributor,
    ReportData,
    StreamPart,
    VerdictPart,
    load_report_data,
    save_report_data,
)
from codesign.report.figures import FIGURES, NARROW, WIDE
from codesign.report.figures.layout import edges_of, ordered, rows_of
from codesign.report.render import render, write_report

FIGURE_NAMES = {figure.name for figure in FIGURES}


def _svgs(html: str) -> list[ElementTree.Element]:
    return [ElementTree.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", html, re.DOTALL)]


def test_every_figure_is_drawn_for_both_screens_as_well_formed_svg(full_report):
    drawn = [(svg.get("data-figure"), svg.get("viewBox")) for svg in _svgs(render(full_report))]
    for width in (WIDE, NARROW):
        shown = {name for name, box in drawn if box.split()[2] == str(width)}
        assert shown == FIGURE_NAMES


def test_page_loads_nothing_from_elsewhere(full_report):
    html = render(full_report)
    assert not re.search(r"https?://|<script|<link|<img|@import|url\(", html)


def test_verdict_comes_before_every_figure(full_report):
    html = render(full_report)
    assert html.index('id="verdict"') < html.index("<svg")


@pytest.mark.parametrize(
    "words",
    [
        "codesign run flows/resnet8-pynq-z2.toml --seed 3 --out runs/resnet8",
        "2,778",
        "simulated",
        "930 µs",
        "96.55",
        "0123abc",
        "32 × 32 × 3",
        "q × 0.0039215686 − 0.5",
        "the index of the largest score",
        "At 1 bit weights are bipolar",
    ],
)
def test_facts_are_on_the_page(full_report, words):
    assert words in unescape(render(full_report))


def test_a_design_that_does_not_fit_names_gap_largest_part_and_lever(full_report):
    levers = ("use 2-bit weights",)
    largest = (Contributor("fc0", "lut", 9000.0),)
    verdict = VerdictPart(
        False, "Does not fit x.", gaps={"lut": 5120.0}, contributors=largest, levers=levers
    )
    html = render(msgspec.structs.replace(full_report, verdict=verdict))
    assert "Does not fit" in html
    assert "fc0" in html and "9,000" in html
    assert "Over the budget by 5,120 LUT" in " ".join(html.split())
    assert "use 2-bit weights" in html


@pytest.mark.parametrize(
    ("part", "gone"),
    [
        ("simulation", {"stages", "timeline"}),
        ("history", {"training"}),
        ("widths", {"widths"}),
        ("bitwidths", set()),
        ("board", {"budget"}),
        ("blocks", {"network"}),
    ],
)
def test_a_part_that_is_missing_takes_its_figures_along(full_report, part, gone):
    empty = getattr(ReportData(title=""), part)
    names = {
        s.get("data-figure")
        for s in _svgs(render(msgspec.structs.replace(full_report, **{part: empty})))
    }
    assert FIGURE_NAMES - names == gone


def test_a_title_alone_makes_a_page():
    assert "<h1>nothing yet</h1>" in render(ReportData(title="nothing yet"))


def test_names_of_the_user_are_escaped(full_report):
    block = msgspec.structs.replace(full_report.blocks[0], name="<b>&")
    html = render(ReportData(title="<script>x", blocks=(block,)))
    assert "<script" not in html
    assert "<b>&" not in html


def test_report_data_survives_json(full_report, tmp_path):
    save_report_data(full_report, tmp_path)
    assert load_report_data(tmp_path) == full_report


def test_damaged_report_data_is_a_sentence(tmp_path):
    (tmp_path / "report.json").write_text('{"title": 3}')
    with pytest.raises(BadInput, match="is not the data of a report"):
        load_report_data(tmp_path)


def test_report_is_written_whole(full_report, tmp_path):
    assert write_report(full_report, tmp_path).read_text().rstrip().endswith("</html>")


def _chain(*names: str) -> tuple[list[BlockPart], list[StreamPart]]:
    ends = ["host", *names, "host"]
    streams = [_stream(a, b) for a, b in pairwise(ends)]
    return [BlockPart(name=n, kind="MatVec") for n in names], streams


def _stream(a: str, b: str) -> StreamPart:
    source = a if a == "host" else f"{a}.out0"
    target = b if b == "host" else f"{b}.in0"
    return StreamPart(
        source=source,
        target=target,
        qtype="int4",
        lanes=1,
        bits=4,
        beats_per_frame=1,
        depth=2,
        style="srl",
    )


def test_rows_follow_the_streams_whatever_the_order_of_blocks():
    blocks, streams = _chain("a", "b", "c", "d")
    assert ordered(blocks[::-1], streams[::-1]) == ["host in", "a", "b", "c", "d", "host out"]


def test_two_skips_at_once_get_lanes_of_their_own():
    blocks, streams = _chain("a", "b", "c", "d", "e")
    streams += [_stream("a", "d"), _stream("b", "e")]
    edges = edges_of(ordered(blocks, streams), streams)
    assert sorted(e.lane for e in edges)[-2:] == [1, 2]


def test_columns_break_only_where_one_stream_crosses():
    blocks, streams = _chain(*"abcdefgh")
    streams += [_stream("b", "g")]
    order = ordered(blocks, streams)
    edges = edges_of(order, streams)
    rows = rows_of(order, blocks, edges, columns=3)
    assert max(r.column for r in rows) >= 1
    assert len({r.column for r in rows if r.name in "bcdefg"}) == 1
    for edge in edges:
        assert edge.lane == 0 or rows[edge.source].column == rows[edge.target].column
