"""index.html in a real browser: headless Chromium runs its script and gives back what a reader sees."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from syscalls.compat import html
from syscalls.compat.rows import matrix

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def data():
    return matrix()


def test_the_page_needs_nothing_from_elsewhere(data):
    page = html.page(data)
    assert not re.search(r"""(?:src|href)\s*=|@import|url\(""", page)
    assert "{{" not in page


def test_hostile_text_cannot_leave_its_place():
    row = {"nr": 0, "name": "x", "level": "full", "note": "</script><b>", "served": "", "tests": [], "family": "<i>"}
    proof = {"date": "<d>", "kernel": "k", "programs": 1, "hold": 1}
    totals = dict.fromkeys(("full", "partial", "unproven", "stub", "refused", "missing"), 0)
    page = html.page({"evidence": proof, "totals": totals, "calls": [row], "tables": []})
    assert page.count("</script>") == 2
    assert "<option>&lt;i&gt;</option>" in page
    assert "&lt;d&gt;" in page


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed: apt-get install chromium")
def test_a_browser_shows_every_call(data, tmp_path: Path):
    page = tmp_path / "index.html"
    page.write_text(html.page(data))
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/profile", "--dump-dom"]
    done = subprocess.run([*command, page.as_uri()], capture_output=True, text=True, timeout=60, check=True)
    body = done.stdout.partition('<tbody id="rows">')[2].partition("</tbody>")[0]
    assert body.count('<td class="nr">') == len(data["calls"])
    assert f"{len(data['calls'])} of {len(data['calls'])}" in done.stdout
    assert "<h2>fcntl commands</h2>" in done.stdout
