import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.checks.models.building import judged, look, reasons

from mlgate.checks.models.configs._effects import acts


def verdicts(text, name="config.yaml", **more):
    found = judged(look(text.encode(), name, **more))
    return [(each.rule, each.severity.value, each.subject) for each in found]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("logging.json", '{"handlers": {"x": {"()": "os.system", "command": "true"}}}'),
        ("logging.yaml", 'handlers: {x: {"()": "ext://os.system", command: "true"}}\n'),
        ("dag.yaml", "x: {python_callable: os.system}\n"),
        ("train.json", '{"loss_fn": "os.system"}'),
        ("catalog.yml", "x:\n  type: os.system\n  command: 'true'\n"),
        ("serve.yaml", "applications:\n- import_path: os:system\n"),
        ("config.json", '{"model": {"type": "os\\u002esystem"}}'),
        ("config.json", '{"model": {"t\\u0079pe": "os.system"}}'),
        ("config.cfg", '[training.logger]\n@loggers = "os.system"\n'),
        ("conf.toml", "factory = 'os.system'  # a comment\n"),
        ("train.gin", "from __gin__ import dynamic_registration\nimport os\ntrain.hook = @os.system()\n"),
        ("train.gin", "train.hook = @scope/other/os.system\n"),
    ],
)
def test_a_function_of_python_under_a_key_that_is_imported(name, text):
    assert verdicts(text, name) == [("MLG-HFR-006", "high", "os.system")]
    assert verdicts(text.replace("os", "subprocess").replace("system", "Popen"), name) == [
        ("MLG-HFR-006", "high", "subprocess.Popen")
    ]
    assert verdicts(text.replace("os", "pickle").replace("system", "loads"), name) == [
        ("MLG-HFR-006", "high", "pickle.loads")
    ]


GRAVE = ("executes", "evaluates", "imports", "native")


@pytest.mark.parametrize("name", [name for name, act in acts().items() if act in GRAVE and "*" not in name])
def test_what_acts_in_source_is_known_here_too(name):
    assert verdicts(f"hook:\n  callable: {name}\n") == [("MLG-HFR-006", "high", name)]


@pytest.mark.parametrize("name", ["logging.os.system", "random._os.popen", "torch.utils.subprocess.run"])
def test_modules_that_others_pass_on(name):
    assert verdicts(f"hook:\n  callable: {name}\n") == [("MLG-HFR-006", "high", name)]


@pytest.mark.parametrize(
    "value",
    [
        "pickle.PickleDataset", "os.linux", "os.path.join", "subprocess.start", "asyncio.run", "builtins.dict",
        "shutil.which", "ext://sys.stdout", "logging.StreamHandler", "dill.Dataset", "shelve.open.it",
        "marshal.Schema", "os.system('true')", "use os.system here",
    ],
)  # fmt: skip
def test_honest_names_are_left_alone(value):
    assert verdicts(json.dumps({"type": value, "class": value, "function": value}), "a.json") == []
    assert verdicts(f'type = "{value}"\n', "a.toml") == []


@pytest.mark.parametrize("name", ["HTTPHandler", "SocketHandler", "DatagramHandler", "SMTPHandler"])
def test_logs_that_are_sent_away(name):
    text = json.dumps({"handlers": {"h": {"class": f"logging.handlers.{name}", "host": "x"}}})
    assert verdicts(text, "log.json") == [("MLG-HFR-006", "medium", f"logging.handlers.{name}")]
    assert verdicts(text.replace(name, "RotatingFileHandler"), "log.json") == []


def test_other_keys_and_lists_are_data():
    profile = {"name": "os.system", "calls": ["subprocess.run"], "subject": "builtins.exec"}
    assert verdicts(json.dumps(profile), "profile.json") == []
    assert (
        verdicts('[tool.ruff.banned-api]\n"os.system".msg = "no"\nbad = ["os.system"]\n', "ruff.toml") == []
    )
    assert verdicts("# type = os.system\n; class = os.system\nuser = @os.system\n", "a.ini") != []


def test_a_long_configuration_is_undecided():
    assert reasons(look(b"type: os.system\n" * 20, "a.yaml", text_bytes=100)) == {"limit"}


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200), st.sampled_from(["a.yaml", "a.json", "a.toml", "a.gin"]))
def test_any_text_is_survived(text, name):
    assert "reader-failed" not in reasons(look(f"type = os.system\n{text}".encode(), name))
