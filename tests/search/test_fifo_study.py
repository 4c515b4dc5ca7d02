"""The study of FIFO sizing: a case, and the section of the page that it replaces."""

from codesign.board import load_board
from codesign.search.fifo_study import TITLE, main, run_case, section
from codesign.sim.simulate import simulate


def test_a_case_is_never_worse_than_the_two_habits_and_keeps_its_rate():
    case = run_case("tfc-w1a1", "pynq-z1")
    assert case.sizing.bits <= case.unbounded_bits <= case.power_bits
    assert case.sizing.fits and case.sizing.optimal
    found = simulate(case.sizing.design, load_board("pynq-z1"))
    assert found.interval_cycles == case.sizing.interval_cycles


def test_rows_are_replaced_and_the_rest_of_the_page_stays(tmp_path):
    page = tmp_path / "search.md"
    kept, stale = "| cnv-w1a1 | pynq-z1 | 7 |\n", "| tfc-w1a1 | pynq-z1 | stale |\n"
    page.write_text(f"# Folding\n\ntext\n\n{TITLE}\n\n{stale}{kept}")
    main(["tfc-w1a1"], page)
    text = page.read_text()
    assert text.startswith(f"# Folding\n\ntext\n\n{TITLE}\n")
    assert "stale" not in text
    assert "| tfc-w1a1 | pynq-z1 |" in text and text.endswith(kept)
    assert section(text).count(TITLE) == 1
    assert section("# Folding\n") == ""
