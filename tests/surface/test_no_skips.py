"""CI counts a skipped test as a failure."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"
PASSES = "def test_one():\n    pass\n"
SKIPS = "import pytest\n\ndef test_two():\n    pytest.skip('not here')\n"


@pytest.mark.parametrize(
    ("source", "forbidden", "code"),
    [(PASSES, True, 0), (PASSES + SKIPS, False, 0), (PASSES + SKIPS, True, 1)],
)
def test_skips(tmp_path, source, forbidden, code):
    shutil.copy(CONFTEST, tmp_path / "conftest.py")
    (tmp_path / "test_it.py").write_text(source)
    environment = {name: value for name, value in os.environ.items() if name != "MLGATE_NO_SKIPS"}
    if forbidden:
        environment["MLGATE_NO_SKIPS"] = "1"
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == code, result.stdout
    assert ("the run fails" in result.stdout) == (code == 1)
