"""The page in a real browser. Collected only where there is one: see ``conftest.py``."""

import struct
import subprocess
import zlib
from html import escape

import pytest
from tests.reports.conftest import BROWSER
from tests.reports.sample import CLEAN, FULL

QUIET = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage")

PROBE = """
const frame = document.querySelector("iframe");
frame.onload = () => {
  document.title = frame.contentDocument.documentElement.scrollWidth + " of " + frame.contentWindow.innerWidth;
};
"""


def browse(folder, html, *options):
    """Let the browser open a page, and return what it printed."""
    page = folder / "page.html"
    page.write_text(html, encoding="utf-8")
    command = [BROWSER, *QUIET, f"--user-data-dir={folder / 'profile'}", *options, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def pixels(path):
    """Return width, height and the rows of a PNG of 8 bits a channel, still filtered (PNG, 9)."""
    data = path.read_bytes()
    at, idat, head = 8, b"", b""
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        head, idat = (body if kind == b"IHDR" else head), (idat + body if kind == b"IDAT" else idat)
        at += 12 + length
    width, height, _, colour = struct.unpack(">IIBB", head[:10])
    size = {2: 3, 6: 4}[colour]
    raw, stride = zlib.decompress(idat), width * size
    return width, height, [raw[row * (stride + 1) :][: stride + 1] for row in range(height)]


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("opened", ["", " open"], ids=["folded", "open"])
def test_nothing_is_wider_than_the_window(width, opened, tmp_path, render):
    inner = render("html", FULL).replace("<details", f"<details{opened}")
    frame = f'<iframe width="{width}" height="900" style="border:0" srcdoc="{escape(inner)}"></iframe>'
    outer = f"<!doctype html><title></title>{frame}<script>{PROBE}</script>"
    done = browse(tmp_path, outer, "--window-size=1400,1000", "--virtual-time-budget=5000", "--dump-dom")
    found, _, room = done.stdout.partition("<title>")[2].partition("</title>")[0].partition(" of ")
    assert int(room) == width
    assert int(found) <= width


@pytest.mark.parametrize("report", [CLEAN, FULL], ids=["clean", "full"])
def test_the_page_is_drawn_as_a_picture_and_as_paper(report, tmp_path, render):
    shot, paper = tmp_path / "shot.png", tmp_path / "page.pdf"
    browse(tmp_path, render("html", report), "--window-size=800,600", f"--screenshot={shot}")
    width, height, rows = pixels(shot)
    assert (width, height) == (800, 600)
    assert len(set(rows)) > 50  # not one colour
    browse(tmp_path, render("html", report), f"--print-to-pdf={paper}")
    assert paper.read_bytes().startswith(b"%PDF")
