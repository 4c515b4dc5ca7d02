"""The study of FIFO sizing: a case, and the section of the page that it replaces."""

from codesign.board import load_board
from codesign.search.fifo_study import TITLE, main, run_case, section
from codesign.sim.simulate import simulate


def test_a_case_is_never_worse_than_the_two_habits_and_keeps_its_rate():
    case = run_case("digits-w4a4", "pynq-z1")
    assert case.sizing.bits <= case.unbounded_bits <= case.power_bits
    found = simulate(case.sizing.design, load_board("pynq-z1"))
    assert found.interval_cycles == case.sizing.interval_cycles


def test_the_section_is_replaced_and_the_page_before_it_stays(tmp_path):
    page = tmp_path / "search.md"
    page.write_text(f"# Folding\n\ntext\n\n{TITLE}\n\nstale\n")
    main((("tfc-w1a1", "pynq-z1"),), page)
    text = page.read_text()
    assert text.startswith(f"# Folding\n\ntext\n\n{TITLE}\n")
    assert "stale" not in text
    assert "| tfc-w1a1 | pynq-z1 |" in text
    assert section(text).count(TITLE) == 1
    assert section("# Folding\n") == ""
