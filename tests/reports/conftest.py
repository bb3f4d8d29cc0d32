import shutil
import sys
from pathlib import Path

import pytest

from mlgate import reports
from mlgate.reports import Style

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# What must hold of the page everywhere is tested without a browser.
collect_ignore = [] if BROWSER else ["test_html_browser.py"]
SNAPSHOTS = Path(__file__).with_name("snapshots")


@pytest.fixture
def render():
    def rendered(name, report, **style):
        return reports.load(name).render(report, Style(**style))

    return rendered


@pytest.fixture
def in_fresh_python():
    """Run code in a new interpreter and return what it prints."""
    import subprocess

    def run(code):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    return run
