"""How the data of YOLO is fetched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.checks.models.building import judged, look, reasons

START = "path: ../datasets/coco8\ntrain: images/train\nval: images/val\nnames: {0: a}\n"
HONEST = """download: |
  from pathlib import Path
  from ultralytics.utils.downloads import download
  dir = Path(yaml['path'])
  urls = ['https://x/y.zip']
  download(urls, dir=dir, threads=3)
  for p in dir.glob('*.txt'):
    p.rename(dir / 'labels' / p.name)
"""


def verdicts(download, start=START):
    return {
        (each.rule, each.severity.value) for each in judged(look((start + download).encode(), "data.yaml"))
    }


@pytest.mark.parametrize(
    ("download", "severity"),
    [
        ("download: |\n  import os\n  os.system('true')\n", "critical"),
        ("download: import subprocess; subprocess.run(['x'])\n", "critical"),
        ("download: |\n  exec(__import__('base64').b64decode('eA=='))\n", "critical"),
        ('"download": "__import__(\'os\').system(1)"\n', "critical"),
        ("download: http = __import__('os').system('true')\n", "critical"),
        ("download: exec(yaml['x'])\nx: print(1)\n", "high"),
        ("? download\n: import os; os.system(1)\n", "critical"),
        ("!!str download: import os; os.system(1)\n", "critical"),
        ("x: &a\n  download: import os; os.system(1)\n<<: *a\n", "critical"),
        ("download: bash -c id\n", "high"),
        ("download: bash get.sh; id\n", "high"),
        ("download: bash data/scripts/get_coco.sh --train\n", None),
        ("download: https://github.com/ultralytics/assets/releases/download/v0.0.0/coco8.zip\n", None),
        (HONEST, None),
    ],
)
def test_what_is_run(download, severity):
    found = verdicts(download)
    assert {each for _, each in found} == ({severity} if severity else set())


def test_only_of_such_a_description():
    assert not verdicts("download: import os; os.system(1)\n", start="a: 1\n")
    assert not verdicts("other: 'download: import os; os.system(1)'\n")


def test_source_that_is_too_long_is_not_checked():
    text = START + "download: |\n  import os\n" + "  x = 1\n" * 90_000 + "  os.system(1)\n"
    assert "limit" in reasons(look(text.encode(), "data.yaml"))


def test_in_the_flow_of_a_line():
    assert verdicts('{train: a, val: b, download: "import os; os.system(1)"}', start="")
    assert verdicts(" train: a\n val: b\n download: |\n   import os\n   os.system(1)\n", start="")


@given(st.text(max_size=100))
def test_any_text(text):
    look((START + "download: " + text).encode("utf-8", "replace"), "data.yaml")
