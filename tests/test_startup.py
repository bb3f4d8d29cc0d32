"""A scan starts fast because it loads little: what it does not load is asserted here."""

import json
import pickle
import subprocess
import sys

import pytest

HEAVY = [
    "numpy",
    "onnxruntime",
    "jinja2",
    "sarif_om",
    "attr",
    "fickling",
    "pip_audit",
    "safety",
    "cvss",
    "yaml",
    "packaging",
    "asyncio",
    "ast",
    "inspect",
    "typing_extensions",
    "tomllib",
    "mlgate.checks.models.configs._python_file",
    "mlgate.checks.models.configs._jinja_template",
    "mlgate.checks.models.formats._hdf5_file",
    "mlgate.checks.models.formats._gguf_file",
]
PROGRAM = """
import json, sys
from mlgate.__main__ import main
code = main()
print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)
"""


def modules_after(*arguments, folder):
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return json.loads(result.stderr)


@pytest.mark.parametrize("report", ["terminal", "json"])
def test_a_clean_scan_loads_nothing_heavy(tmp_path, report):
    (tmp_path / "model.pkl").write_bytes(pickle.dumps({"weights": [1.0, 2.0]}))
    code, loaded = modules_after("scan", "model.pkl", "--report", report, folder=tmp_path)
    assert code == 0
    assert not {name for name in loaded for heavy in HEAVY if name == heavy or name.startswith(heavy + ".")}
    assert not [
        name for name in loaded if name.startswith(("mlgate.checks.dependencies", "mlgate.checks.assessment"))
    ]


def test_json_does_not_load_rich(tmp_path):
    (tmp_path / "model.pkl").write_bytes(pickle.dumps([1]))
    _, loaded = modules_after("scan", "model.pkl", "--report", "json", folder=tmp_path)
    assert "rich" not in loaded


def test_a_scan_loads_no_other_command(tmp_path):
    (tmp_path / "model.pkl").write_bytes(pickle.dumps([1]))
    _, loaded = modules_after("scan", "model.pkl", folder=tmp_path)
    commands = {name for name in loaded if name.startswith("mlgate.commands.")}
    assert commands == {"mlgate.commands._run", "mlgate.commands.scan"}
    assert not {"mlgate.starter", "mlgate.rulebook"} & set(loaded)
