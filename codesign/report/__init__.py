"""The report: one self-contained HTML file about a run or an imported design."""
