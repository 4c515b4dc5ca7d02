"""Latency targets: bounds of each block against stepping its events, of foldings against all of them."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from codesign.blocks import BLOCKS
from codesign.board import load_board
from codesign.search.delays import delay_of
from codesign.search.fills import member_of
from codesign.search.folding import NOTHING, FoldSearch, find_folds
from codesign.search.latency import LatencyBound, latency_cycles
from codesign.search.plan import plan
from codesign.sim.simulate import simulate
from tests.small_graphs import cnn, mlp, residual

PYNQ = load_board("pynq-z1")
LATE = 100_000


def _times(program, port_in, port_out, arrives):
    """When a reader can take each token of `port_out`, event by event; space is never short and token
    k of `port_in` comes at `arrives(k)`, of the other inputs at 0."""
    inner, written = {c.name: c for c in program.channels}, {}
    order = sorted(program.processes, key=lambda p: any(c.target == p.name for c in inner.values()))
    for process in order:
        time, released = None, {}
        for segment in [s for lp in process.loops for s in lp.segments * lp.repeat]:
            for i in range(segment.count):
                gap = segment.gap if i else segment.first_gap or segment.gap
                time = 0 if time is None else time + gap
                for read in segment.reads:
                    k = released.get(read.port, 0) + read.offset + i * read.step
                    if read.port == port_in:
                        time = max(time, arrives(k))
                    if read.port in inner:
                        lag = inner[read.port].forward_latency_cycles
                        time = max(time, written[read.port][k] + lag)
                for read in segment.reads:
                    more = read.release_last if i == segment.count - 1 else 0
                    released[read.port] = released.get(read.port, 0) + read.release + more
                for port in segment.writes:
                    written.setdefault(port, []).append(time)
    lag = next(p.latency_cycles for p in order if p.tokens_written(port_out)) + 1
    return [time + lag for time in written[port_out]]


@pytest.mark.parametrize("kind", BLOCKS, ids=lambda kind: kind.__name__)
def test_no_block_is_faster_than_its_delays(kind):
    for block, _ in kind.examples():
        for fold in block.legal_folds()[:: max(1, len(block.legal_folds()) // 6)]:
            member = block.folded(fold)
            program = member.program()
            for i, o in product(range(len(member.inputs())), range(len(member.outputs()))):
                ports = f"in{i}", f"out{o}"
                delay, last = delay_of(program, *ports), member.inputs()[i].beats_per_frame - 1
                assert _times(program, *ports, lambda k: 0)[-1] >= delay.last
                late = _times(program, *ports, lambda k: LATE)
                if delay.fill is not None:
                    assert late[0] == LATE + delay.fill
                    assert late[-1] >= LATE + delay.last
                end = _times(program, *ports, lambda k, n=last: LATE if k == n else 0)
                if delay.tail is not None:
                    assert end[-1] >= LATE + delay.tail


def _random_choices(search, count):
    dice = np.random.default_rng(0)
    for _ in range(count):
        yield np.array([dice.integers(len(o.folds)) for o in search.network.options])


def _read(program, port_in, port_out):
    """Of each token of `port_out` the last of `port_in` that it waits for: those before come at 0, that
    one and all behind it late."""
    found = []
    for k in range(_reads(program, port_in)):
        late = _times(program, port_in, port_out, lambda j, k=k: LATE if j >= k else 0)
        found += [k - 1] * (sum(time < LATE for time in late) - len(found))
    return found


def _reads(program, port_in):
    segments = [s for p in program.processes for lp in p.loops for s in lp.segments * lp.repeat]
    each = [(s.count, r) for s in segments for r in s.reads if r.port == port_in]
    return sum(n * r.release + r.release_last for n, r in each)


@pytest.mark.parametrize("name", ["win", "conv", "act", "pool_win", "pool"])
def test_what_a_token_waits_for_is_what_comes_too_late_for_it(name):
    block = next(node.block for node in cnn(6).nodes if node.block.name == name)
    for fold in block.legal_folds()[::2]:
        member = member_of(block, fold, 0, 0)
        last = _read(member.program, "in0", "out0")
        for token, read in enumerate(last[:40]):
            found = member.read(token * member.lanes_out)
            assert found == (read + 1) * member.lanes_in - 1
        assert len(last) > 1


@pytest.mark.parametrize("graph", [mlp((12, 8, 6)), cnn(6), cnn(9)], ids=lambda g: g.name)
def test_no_folding_is_faster_than_the_sums(graph):
    search = FoldSearch(graph, PYNQ, NOTHING, None)
    bound = LatencyBound(graph, search.network, PYNQ)
    exact = bound.exact(search.exact.limit, 10_000, all_options=True)
    sums = exact.network.options
    for choice in _random_choices(search, 12):
        counts = sum(o.counts[c] for o, c in zip(sums, choice, strict=True))[-len(bound.sums) :]
        assert counts.max() < latency_cycles(search.design(choice), PYNQ)


@pytest.mark.parametrize("sizes", [(6, 4, 3), (4, 6, 2)])
@pytest.mark.parametrize("share", [0.3, 0.6])
def test_the_bound_of_the_cost_holds_for_every_folding(sizes, share):
    graph = mlp(sizes, bits=2)
    search = FoldSearch(graph, PYNQ, NOTHING, None)
    every = [np.array(c) for c in product(*(range(len(o.folds)) for o in search.network.options))]
    every = every[:: max(1, len(every) // 150)]
    found = [(latency_cycles(search.design(c), PYNQ), c) for c in every]
    target = int(np.quantile([latency for latency, _ in found], share))
    costs = [search.network.counts(c) @ search.cost for latency, c in found if latency <= target]
    result = find_folds(graph, PYNQ, target_latency_s=target / PYNQ.clock_hz)
    assert result.meets_target
    assert result.proof.latency_s * PYNQ.clock_hz <= target
    assert result.proof.cost_bound <= min(costs) + 1e-9
    assert result.proof.cost <= min(costs) * 1.2


def test_a_latency_in_reach_is_proven():
    graph = cnn(8)
    quick = latency_cycles(find_folds(graph, PYNQ).design, PYNQ)
    found = plan(graph, PYNQ, target_latency_s=2 * quick / PYNQ.clock_hz)
    assert found.fits and found.meets_target
    assert simulate(found.design, PYNQ).latency_cycles <= 2 * quick
    assert 0.98 < found.proof.cost_bound / found.proof.cost <= 1
    slower = plan(graph, PYNQ, target_latency_s=4 * quick / PYNQ.clock_hz)
    assert 0.98 < slower.proof.cost_bound / slower.proof.cost <= 1
    assert slower.proof.cost < found.proof.cost
    assert all(p.proven.startswith("Proven: ") for p in (found, slower))


def test_residual_networks_have_latencies_too():
    """With FIFOs of least depth they would stop for ever."""
    graph = residual()
    found = plan(graph, PYNQ, target_latency_s=300 / PYNQ.clock_hz)
    assert found.fits and found.meets_target
    assert simulate(found.design, PYNQ).latency_cycles <= 300
    assert found.proven.startswith("Proven: every folding that reaches the target costs")


def test_a_line_buffer_fills_at_the_pace_of_the_product_before_it():
    """Two convolutions, the first with one product a cycle: the second has its first window when two rows
    and three pixels have left the first."""
    graph = residual(5, 4)
    search = FoldSearch(graph, PYNQ, NOTHING, None)
    names = [node.block.name for node in graph.nodes]
    choice = np.zeros(len(names), int)
    for i, options in enumerate(search.network.options):
        slow = options.folds[0].pe if names[i] != "conv0" else 1
        choice[i] = next(
            k for k, f in enumerate(options.folds) if f.pe == slow and (slow > 1 or f.simd == 1)
        )
    bound = LatencyBound(graph, search.network, PYNQ)
    sums = [
        sum(column[c] for column, c in zip(of_row, choice, strict=True)) for of_row in bound.sums
    ]
    latency = latency_cycles(search.design(choice), PYNQ)
    assert max(sums) < latency
    # 12 pixels with the border's, of 4 rows of 36 products each, is more than half of it.
    assert max(sums[1::2]) > 0.9 * latency


@pytest.mark.parametrize("share", [0.05, 0.6, 0.95])
def test_every_latency_out_of_reach_is_told_with_a_bound_and_the_nearest(share):
    graph = cnn(8)
    quick = latency_cycles(find_folds(graph, PYNQ).design, PYNQ)
    found = plan(graph, PYNQ, target_latency_s=share * quick / PYNQ.clock_hz)
    assert found.fits
    if not found.meets_target:
        assert 0 < found.proof.latency_bound_s <= found.proof.latency_s
        assert found.proof.latency_s > share * quick / PYNQ.clock_hz
        assert found.proven.startswith("Proven: no folding within the budget has a latency of less")
        assert plan(graph, PYNQ, target_latency_s=found.proof.latency_s).meets_target


def test_what_is_out_of_reach_is_proven_with_the_nearest():
    graph = mlp((32, 16, 10))
    found = plan(graph, PYNQ, target_latency_s=1e-7)
    assert found.fits and not found.meets_target
    assert found.proven.startswith("Proven: no folding within the budget has a latency of less")
    assert 1e-7 < found.proof.latency_bound_s <= found.proof.latency_s
    assert plan(graph, PYNQ, target_latency_s=found.proof.latency_s).meets_target
