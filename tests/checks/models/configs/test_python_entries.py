"""Files that say themselves which program runs them."""

import pytest
from tests.checks.models.building import judged, look

RUNS = "import os\nos.system('true')\n"
MARKS = {
    "endpoint": "class EndpointHandler:\n    pass\n",
    "triton": "class TritonPythonModel:\n    pass\n",
    "detectron2": "from detectron2.config import LazyCall as L\n",
    "mmengine": "model = dict(type='ResNet', depth=50)\n",
    "mmengine's base": "_base_ = ['../base.py']\n",
}
HONEST = [
    *MARKS.values(),
    RUNS,
    RUNS + "class Handler:\n    pass\n",
    RUNS + "from detectron2.engine import launch\n",
    RUNS + "model = build(type='x')\n",
    RUNS + "def f():\n    class EndpointHandler:\n        pass\n",
]


@pytest.mark.parametrize("mark", MARKS)
def test_what_it_does_at_import_counts(mark):
    for source in (RUNS + MARKS[mark], MARKS[mark] + RUNS):
        (finding,) = judged(look(source.encode(), "config.py"))
        assert (finding.rule, finding.severity.value) == ("MLG-HFR-004", "high")


@pytest.mark.parametrize("source", HONEST)
def test_other_files_are_scripts(source):
    assert [each for each in judged(look(source.encode(), "tool.py")) if each.severity.rank > 2] == []
