"""The command behind docs/results/search.md."""

from codesign.search.fifo_study import TITLE as FIFOS
from codesign.search.study import TITLE, main


def test_the_table_holds_rate_proof_and_ratio(tmp_path):
    out = tmp_path / "search.md"
    out.write_text(f"# Goals\n\nkept\n\n{TITLE}\n\nold\n\n{FIFOS}\n\nrows\n")
    main((("cnv-w1a1", "pynq-z1"), ("cnv-w4a4", "icebreaker")), out, (lambda: "# More\n",))
    assert out.read_text().startswith(f"# Goals\n\nkept\n\n{TITLE}\n\nWritten")
    assert out.read_text().endswith(f"\n# More\n\n{FIFOS}\n\nrows\n")
    assert "old" not in out.read_text().split()
    rows = [line for line in out.read_text().splitlines() if line.startswith("| cnv")]
    cells = [cell.strip() for cell in rows[0].strip("|").split("|")]
    assert cells[4].startswith("Proven: no folding within the budget is faster")
    assert float(cells[9]) >= 1
    assert float(cells[11]) >= 1
    assert "does not fit" in rows[1]
    assert "Proven: every folding, however slow" in rows[1]
    assert "median ratio" in out.read_text()
