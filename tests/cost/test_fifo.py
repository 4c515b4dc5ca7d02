"""FIFOs: storage by the device's rules, and the cheapest style among all."""

import pytest

from codesign.board import load_board
from codesign.cost.family import load_family
from codesign.cost.fifo import cheapest_style, fifo_cost, fifo_terms, prices
from codesign.cost.model import kind_model
from codesign.cost.resources import Resources


@pytest.mark.parametrize(
    ("style", "depth", "width", "storage"),
    [
        ("register", 2, 8, {"ff": 16, "lut": 8}),
        ("srl", 32, 8, {"lut": 8, "lutram": 8}),
        ("lutram", 64, 9, {"lut": 12, "lutram": 12}),
        ("block", 1024, 18, {"BRAM18": 1}),
    ],
)
def test_storage_on_7_series(style, depth, width, storage):
    terms = {t.name: t.resources for t in fifo_terms(load_family("xc7"), depth, width, style)}
    found = {kind: n for kind, n in terms["storage"].flat().items() if n}
    assert found == storage


@pytest.mark.parametrize("board", ["pynq-z1", "ulx3s-85f", "icebreaker"])
@pytest.mark.parametrize("tokens", [2, 20, 300, 5000])
@pytest.mark.parametrize("width", [1, 16, 200])
def test_no_other_style_is_cheaper(board, tokens, width):
    board = load_board(board)
    price = prices(board.budget(), board.budget())
    style, depth = cheapest_style(board.family, tokens, width, price, 1)

    def cost(style, depth):
        counts = fifo_cost(board.family, depth, width, style).flat()
        return sum(dict(price)[kind] * n for kind, n in counts.items())

    others = {s: tokens + (s == "block") for s in load_family(board.family).fifo_styles}
    if kind_model("Channel", board.family):
        # The data set has no FIFOs of registers or shift registers where there is LUT RAM.
        known = ("lutram" if "lutram" in others else "register", "block")
        others = {s: depth for s, depth in others.items() if s in known}
    assert depth == others[style]
    assert cost(style, depth) == pytest.approx(min(cost(*other) for other in others.items()))


def test_a_count_that_is_used_up_is_dear():
    budget = Resources(lut=1000, lutram=1000, ff=1000, dsp=10, ram={"BRAM18": 100})
    plenty = dict(prices(budget, budget))
    scarce = dict(prices(Resources(lut=0, lutram=1000, ff=1000, dsp=10), budget))
    assert scarce["lut"] == 20 * plenty["lut"]
    assert scarce["ff"] == plenty["ff"]
