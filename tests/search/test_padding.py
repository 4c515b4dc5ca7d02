"""Padded channel counts: nothing changes but the foldings; the best of them equals trying all."""

from __future__ import annotations

from itertools import product

import msgspec
import numpy as np
import pytest

from codesign.blocks.add import Add
from codesign.blocks.concat import Concat
from codesign.blocks.depthwise import Depthwise
from codesign.blocks.max_pool import MaxPool
from codesign.blocks.mvu import MatVec
from codesign.blocks.threshold import Threshold
from codesign.board import load_board
from codesign.errors import BadInput
from codesign.graph.channel_sets import ChannelSet, channels_of
from codesign.graph.execute import execute, execute_design
from codesign.graph.pad_channels import pad_channels
from codesign.search.folding import find_folds
from codesign.search.padding import candidates, find_padded
from codesign.sim.simulate import simulate
from codesign.types import BIPOLAR, QType
from tests.small_graphs import Sketch, mlp, residual

PYNQ = load_board("pynq-z1")


def _frames(graph, count=3, seed=0):
    qtype, size = graph.input.qtype, int(np.prod(graph.input.shape))
    return np.random.default_rng(seed).integers(qtype.min, qtype.max + 1, (count, size))


def _signs(sketch, name, source, rows, cols, vectors=1):
    """A product with bipolar weights."""
    itype = sketch.types[source]
    weight = sketch.random.choice((-1, 1), (rows, cols))
    most = cols * max(abs(itype.min), itype.max)
    fields = {"rows": rows, "cols": cols, "vectors": vectors, "itype": itype}
    ref = sketch.array(f"{name}.weight", weight, BIPOLAR)
    acc = QType.covering(-most, most)
    return sketch.node(MatVec(name=name, **fields, wtype=BIPOLAR, acc=acc, weight=ref), source)


def _bipolar_act(sketch, name, source, channels, vectors=1):
    itype = sketch.types[source]
    draws = sketch.random.integers(-4, 4, (channels, 1))
    ref = sketch.array(f"{name}.thresholds", draws, itype)
    fields = {"channels": channels, "vectors": vectors, "itype": itype, "otype": BIPOLAR}
    return sketch.node(Threshold(name=name, **fields, base=-1, thresholds=ref), source)


def _depthwise(sketch, name, source, channels, taps, vectors):
    itype, wtype = sketch.types[source], QType(3, narrow=True)
    weight = sketch.random.integers(-3, 4, (channels, taps))
    most = taps * itype.max * 3
    fields = {"channels": channels, "taps": taps, "vectors": vectors, "itype": itype}
    ref, acc = sketch.array(f"{name}.weight", weight, wtype), QType.covering(-most, most)
    return sketch.node(Depthwise(name=name, **fields, wtype=wtype, acc=acc, weight=ref), source)


def prime_mlp(seed=0):
    sketch, last = Sketch("primes", (7,), QType(4, False), seed), "x"
    for i, (cols, rows) in enumerate(((7, 13), (13, 11))):
        last = sketch.dense(f"fc{i}", last, rows, cols, 3)
        last = sketch.act(f"act{i}", last, rows, 2)
    return sketch.classes(sketch.dense("fc2", last, 5, 11, 3), 5)


def bipolar_conv(seed=0):
    """5 bipolar channels around a border of -1, a pool, and 6 more: readers without a zero."""
    sketch = Sketch("signs", (4, 4, 2), QType(3), seed)
    first = _bipolar_act(sketch, "act0", _signs(sketch, "conv0", "x", 5, 2, 16), 5, 16)
    window = sketch.window("win", first, 4, 5, 3, 1)
    second = _bipolar_act(sketch, "act1", _signs(sketch, "conv1", window, 6, 45, 16), 6, 16)
    pool = sketch.node(MaxPool(name="pool", channels=6, taps=4, vectors=4, itype=BIPOLAR), second)
    return sketch.classes(_signs(sketch, "fc", pool, 3, 24), 3)


def branches(seed=0):
    """A depthwise layer, two products put side by side, and one that reads both."""
    sketch = Sketch("branches", (3, 3, 2), QType(3, False), seed)
    stem = sketch.act("stem_act", sketch.dense("stem", "x", 7, 2, 3, 9), 7, 2, 9)
    window = sketch.window("win", stem, 3, 7, 3, 1)
    deep = sketch.act("deep_act", _depthwise(sketch, "deep", window, 7, 9, 9), 7, 2, 9)
    sides = [
        sketch.act(f"{side}_act", sketch.dense(side, deep, n, 7, 3, 9), n, 2, 9)
        for side, n in (("left", 5), ("right", 3))
    ]
    types = tuple(sketch.types[side] for side in sides)
    both = sketch.node(Concat(name="both", chunks=(5, 3), vectors=9, itypes=types), *sides)
    return sketch.graph(sketch.dense("out", both, 4, 8, 3, 9), (3, 3, 4))


def prime_residual(seed=0):
    return residual(4, 5)


def sums(seed=0):
    """Two products that are added, so that they must be padded alike."""
    sketch = Sketch("sums", (4,), QType(3, False), seed)
    stem = sketch.act("stem_act", sketch.dense("stem", "x", 6, 4, 3), 6, 2)
    sides = [
        sketch.act(f"{s}_act", sketch.dense(s, stem, 5, 6, 3), 5, 2) for s in ("left", "right")
    ]
    fields = {"channels": 5, "vectors": 1, "itypes": (QType(2, False),) * 2, "scales": (1, 2)}
    total = sketch.node(Add(name="sum", **fields, otype=QType(4, False)), *sides)
    return sketch.classes(sketch.dense("out", total, 3, 5, 3), 3)


GRAPHS = (prime_mlp, bipolar_conv, branches, prime_residual, sums)


def _free(graph):
    return [s for s in channels_of(graph).sets if s.layers and not s.fixed]


@pytest.mark.parametrize("make", GRAPHS)
@pytest.mark.parametrize("seed", range(4))
def test_a_padded_network_computes_the_same(make, seed):
    graph, dice = make(seed), np.random.default_rng(seed)
    sizes = {s.layers[-1]: s.channels + 2 * int(dice.integers(0, 4)) for s in _free(graph)}
    padded = pad_channels(graph, sizes)
    x = _frames(graph, seed=seed)
    assert np.array_equal(execute(padded, x), execute(graph, x))
    assert {n.block.name for n in padded.nodes} == {n.block.name for n in graph.nodes}
    for node in padded.nodes:
        node.block.check()


def test_sums_pad_both_sides_and_the_host_keeps_its_channels():
    layers = {s.layers: s.fixed for s in channels_of(branches()).sets if s.layers}
    assert layers == {
        ("stem",): "",
        ("left",): "",
        ("right",): "",
        ("out",): "the host receives it",
    }
    tied = {s.layers: s.channels for s in channels_of(sums()).sets if s.layers and not s.fixed}
    assert tied == {("stem",): 6, ("left", "right"): 5}


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ({"conv0": 6}, "add an even number"),
        ({"conv1": 4}, "cannot have less"),
        ({"fc": 4}, "arg_max takes its channels apart"),
        ({"pool": 8}, "writes no channels; those that do are conv0, conv1"),
    ],
)
def test_what_cannot_be_padded_is_said(sizes, words):
    with pytest.raises(BadInput, match=words):
        pad_channels(bipolar_conv(), sizes)


def test_candidates_are_round_and_at_most_a_quarter_more():
    by_layer = {s.layers[0]: candidates(s) for s in _free(prime_mlp())}
    assert by_layer == {"fc0": (13, 14, 16), "fc1": (11, 12)}
    assert [candidates(s) for s in _free(bipolar_conv())] == [(5,), (6,)]
    assert [candidates(s) for s in _free(mlp((8, 64, 3)))] == [(64,)]
    # Two by two 13 cannot become even, but divisible by 3 and 5.
    pairs = [ChannelSet(("a",), n, pairs=True) for n in (13, 37, 14)]
    assert [candidates(s) for s in pairs] == [(13, 15), (37, 39, 45), (14, 16)]


def test_layers_that_could_gain_and_may_not_are_named():
    found = find_padded(bipolar_conv(), PYNQ)
    assert found.tried == 1
    assert "fc" not in found.excluded  # 3 channels: 4 would be a third more
    sketch = Sketch("odd", (4,), QType(3))
    first = _bipolar_act(sketch, "act0", _signs(sketch, "a", "x", 7, 4), 7)
    found = find_padded(sketch.classes(_signs(sketch, "b", first, 7, 7), 7), PYNQ)
    assert found.excluded == {
        "a": "weights that read it have no 0, so that channels come in pairs",
        "b": "arg_max takes its channels apart",
    }


@pytest.mark.parametrize("make", [prime_mlp, branches])
@pytest.mark.parametrize("share", [0.05, 0.012])
@pytest.mark.parametrize("target", [None, 1e6])
def test_the_best_padding_is_that_of_all(make, share, target):
    graph, board = make(), PYNQ.share(share)
    found = find_padded(graph, board, target)
    names = [s.layers[0] for s in _free(graph)]
    results = [
        find_folds(pad_channels(graph, dict(zip(names, sizes, strict=True))), board, target)
        for sizes in product(*(candidates(s) for s in _free(graph)))
    ]
    assert found.tried == found.possible == len(results)
    good = [r for r in results if r.fits and r.meets_target]
    assert (found.found.fits and found.found.meets_target) == bool(good)
    assert found.found.best_fps == pytest.approx(max(r.best_fps for r in results))
    if good and target is None:
        assert found.found.interval_cycles == min(r.interval_cycles for r in good)
        assert found.found.optimal
    if good and target:
        assert found.found.proof.cost == pytest.approx(min(r.proof.cost for r in good))
        assert found.found.proof.cost_bound <= found.found.proof.cost * (1 + 1e-9)


def test_primes_are_faster_padded_and_the_design_runs_so():
    graph, board = prime_mlp(), PYNQ.share(0.012)
    plain, padded = find_folds(graph, board), find_padded(graph, board)
    assert padded.found.fits and padded.found.fps > plain.fps
    assert "paddings of channel counts tried" in padded.found.proof.sentence(
        padded.found.fps, False
    )
    design, x = padded.found.design, _frames(graph)
    outputs = execute_design(design, padded.graph.params, x)
    assert np.array_equal(outputs, execute(graph, x))
    assert simulate(design, board).interval_cycles >= padded.found.interval_cycles


def test_a_table_of_one_channel_has_no_only_value_once_it_is_padded():
    """Synthesis folds the only value of an array; copies of it are two."""
    sketch = Sketch("one", (4,), QType(3, signed=False))
    first = _signs(sketch, "first", "x", 1, 4)
    ref = sketch.array("limit", np.array([[2]]), sketch.types[first])
    ref = msgspec.structs.replace(ref, value=2)
    fields = {"channels": 1, "vectors": 1, "itype": sketch.types[first], "otype": BIPOLAR}
    act = sketch.node(Threshold(name="act", **fields, base=-1, thresholds=ref), first)
    graph = sketch.graph(_signs(sketch, "last", act, 3, 1), (3,))
    padded = pad_channels(graph, {"first": 3})
    (after,) = (r for node in padded.nodes for r in node.block.params if r.name == "limit")
    assert (after.shape, after.value) == ((3, 1), None)


def test_what_the_next_rate_lacks_holds_for_every_padding():
    """With nearly so much more of each count no padding is faster; each of them lacks as much or more."""
    share = 0.02
    graph, board = prime_mlp(), PYNQ.share(share)
    padded = find_padded(graph, board)
    proof = padded.found.proof
    assert padded.found.fits and proof.least_excess > 0
    assert proof.scarce and proof.refuted_fps > padded.found.fps
    more = find_padded(graph, PYNQ.share(share * (1 + 0.9 * proof.least_excess)))
    assert more.found.interval_cycles == padded.found.interval_cycles
    alone = find_folds(graph, board)
    if alone.interval_cycles == padded.found.interval_cycles:
        assert proof.least_excess <= alone.proof.least_excess
