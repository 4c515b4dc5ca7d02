"""The report in a real browser, on a wide and a narrow screen."""

from __future__ import annotations

import shutil

import pytest

from codesign.report.figures import FIGURES
from codesign.report.render import write_report

OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Headless Chromium; skips where it or its driver is not installed."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("chromium and chromedriver are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for option in (*OPTIONS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(driver)
    with webdriver.Chrome(options=options, service=service) as chrome:
        yield chrome


@pytest.fixture(params=[(1280, 900), (390, 844)], ids=["wide", "narrow"])
def page(request, browser, full_report, tmp_path):
    """The full report, open in a window of exactly this size."""
    width, height = request.param
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(write_report(full_report, tmp_path).as_uri())
    assert browser.execute_script("return innerWidth") == width
    return browser


def test_console_is_silent(page):
    assert page.get_log("browser") == []


def test_every_figure_is_visible_once(page):
    boxes = page.execute_script(
        "return [...document.querySelectorAll('svg[data-figure]')].map(s => {"
        " const b = s.getBoundingClientRect();"
        " return [s.dataset.figure, b.width, b.height, b.left, b.right]; })"
        ".filter(b => b[1] > 0 && b[2] > 0)"
    )
    width = page.execute_script("return innerWidth")
    assert sorted(box[0] for box in boxes) == sorted(f.name for f in FIGURES)
    assert all(box[1] > 300 and box[2] > 60 for box in boxes)
    assert all(box[3] >= 0 and box[4] <= width for box in boxes)


def test_page_does_not_scroll_sideways(page):
    script = (
        "document.querySelectorAll('details').forEach(d => d.open = true);"
        "return [document.documentElement.scrollWidth, innerWidth]"
    )
    scroll, inner = page.execute_script(script)
    assert scroll <= inner


def test_text_of_figures_is_inside_them_and_readable(page):
    """No label leaves its figure, none is smaller than nine pixels."""
    script = """
      return [...document.querySelectorAll('svg[data-figure]')].flatMap(svg => {
        const box = svg.getBoundingClientRect();
        if (box.width === 0) return [];
        const scale = box.width / svg.viewBox.baseVal.width;
        return [...svg.querySelectorAll('text')].map(t => {
          const b = t.getBoundingClientRect();
          const out = Math.max(box.left - b.left, b.right - box.right);
          return [svg.dataset.figure, t.textContent, out, scale * t.getAttribute('font-size')];
        });
      })"""
    labels = page.execute_script(script)
    assert len(labels) > 100
    assert [label for label in labels if label[2] > 2] == []
    assert min(label[3] for label in labels) >= 9
