"""The pages that we write, in headless Chromium: phone-wide and desktop-wide, light and dark. Long: `make test-applications`."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from sandboxctl.compat.suite.report import as_html

MATRIX = Path(__file__).resolve().parents[2] / "compat-matrix" / "index.html"
MEASURE = """<p id=measured></p><script>document.getElementById("measured").textContent = JSON.stringify([
 document.documentElement.scrollWidth, window.innerWidth, document.querySelectorAll("tr").length,
 matchMedia("(prefers-color-scheme: dark)").matches, getComputedStyle(document.body).color])</script>"""
DARK = "--blink-settings=preferredColorScheme=0"
LIGHT = "--blink-settings=preferredColorScheme=1"
REPORT = {
    "command": "a " + "long/command " * 30, "date": "2026-01-01", "kernel": "6.18", "format": "tap", "repeat": 2,
    "totals": {"tests": 2, "pass in both": 1, "differ": 1}, "classes": {"missing call": 1}, "notes": ["x" * 200],
    "seconds": {"native": [1.0], "sandbox": [2.5]},
    "differences": [{
        "test": "t" * 150, "class": "missing call", "reason": "r", "first_call": "c" * 300, "message": "m" * 300,
        "native": ["pass"], "sandbox": ["fail"],
    }],
    "tests": [{"test": "good", "native": ["pass"], "sandbox": ["pass"]}],
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(os.environ.get("SANDBOXCTL_TIER") != "applications", reason="runs with: make test-applications")
@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
@pytest.mark.parametrize("page", ["matrix", "report"])
def test_a_page_fits_its_window_in_both_schemes(page: str, tmp_path: Path) -> None:
    text = MATRIX.read_text() if page == "matrix" else as_html(REPORT)
    path = tmp_path / "page.html"
    path.write_text(text + MEASURE)
    colours = {}
    for width in (500, 1280):  # no window of Chromium's is narrower than 500
        for scheme in (LIGHT, DARK):
            command = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/profile"]
            command += [scheme, f"--window-size={width},900", "--dump-dom", path.as_uri()]
            done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
            found = re.search(r'id="measured">([^<]+)<', done.stdout)
            assert found, done.stdout[-500:]
            wide, window, rows, is_dark, colours[scheme] = json.loads(found[1])
            assert wide <= window, f"{page} is {wide} wide in a window of {window}"
            assert rows > (300 if page == "matrix" else 1)
            assert is_dark is (scheme == DARK)
    assert colours[LIGHT] != colours[DARK]
