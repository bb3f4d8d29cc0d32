import pytest
from tests.rules.cases import verdicts

from mlgate import rules
from mlgate.core.facts import Fact, Location
from mlgate.core.judge import judge
from mlgate.policy.schema import Models, Policy


@pytest.mark.parametrize(
    ("kind", "subject", "detail", "expected"),
    [
        ("torchscript.operator", "aten::save", {"effect": "writes a file"}, "high"),
        ("torchscript.operator", "image::read_file", {"effect": "reads a file"}, "medium"),
        ("torchscript.namespace", "mine", {"effect": ""}, "info"),
        ("torchscript.escape", "os", {"how": "import"}, "high"),
        ("torchscript.escape", "torch", {"how": "alias"}, "high"),
        ("torchscript.escape", "F", {"how": "python"}, "high"),
        ("torchscript.escape", "eval", {"how": "builtin"}, "high"),
        ("torchscript.escape", "__class__", {"how": "dunder"}, "high"),
        ("torchscript.escape", "torch.hub.load", {"how": "module"}, "high"),
    ],
)
def test_torchscript(kind, subject, detail, expected):
    assert verdicts(kind, subject, **detail) == [("MLG-TOR-001", expected)]


@pytest.mark.parametrize(
    ("kind", "detail", "expected"),
    [
        ("torch-export.target", {"form": "python"}, "high"),
        ("torch-export.target", {"form": "operator"}, "high"),
        ("torch-export.target", {"form": "extension"}, "info"),
        ("torch-export.expression", {"does": "uses eval", "free": True, "where": "size"}, "critical"),
        ("torch-export.expression", {"does": "calls f", "free": False, "where": "guard"}, "medium"),
    ],
)
def test_exported_programs(kind, detail, expected):
    assert verdicts(kind, **detail) == [("MLG-TOR-007", expected)]


def test_compiled_exports():
    assert verdicts("torch-export.compiled") == [("MLG-TOR-008", "medium")]


@pytest.mark.parametrize(
    ("kind", "subject", "detail", "expected"),
    [
        ("handler", "image_classifier", {"key": "handler", "escape": None}, []),
        ("handler", "handler.py", {"key": "handler", "escape": None}, ["medium"]),
        ("handler", "../handler.py", {"key": "handler", "escape": "parent"}, ["high"]),
        ("file", "model.py", {"key": "modelFile", "escape": None}, ["medium"]),
        ("file", "model.pt", {"key": "serializedFile", "escape": None}, []),
        ("file", "/model.pt", {"key": "serializedFile", "escape": "absolute"}, ["high"]),
        ("requirement", "http://x/", {"form": "index", "file": "requirements.txt"}, []),
    ],
)
def test_torchserve_archives(kind, subject, detail, expected):
    found = verdicts(f"torch-model-archive.{kind}", subject, **detail)
    assert found == [("MLG-TOR-006", severity) for severity in expected]


@pytest.mark.parametrize(
    ("format_", "rule"),
    [
        ("tflite", "MLG-TFL-002"),
        ("ort", "MLG-TFL-002"),
        ("executorch", "MLG-TOR-005"),
        ("torch-mobile", "MLG-TOR-005"),
    ],
)
def test_what_leads_out_of_a_flatbuffer(format_, rule):
    assert verdicts("flatbuffer.bounds", "an offset leads out", format=format_) == [(rule, "high")]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("TFLite_Detection_PostProcess", []),
        ("Mine", ["medium"]),
        ("FlexWriteFile", ["high"]),
        ("FlexPyFunc", ["high"]),
        ("FlexConcatV2", ["info"]),
    ],
)
def test_custom_operators(name, expected):
    assert verdicts("tflite.custom", name) == [("MLG-TFL-001", severity) for severity in expected]


def test_programs_that_are_models():
    assert verdicts("llamafile.program") == [("MLG-BIN-002", "medium")]


@pytest.mark.parametrize(
    ("formats", "severity"),
    [
        (["zip", "tflite"], "info"),
        (["zip", "llamafile"], "info"),
        (["zip", "tar"], "info"),
        (["zip", "pickle"], "medium"),
    ],
)
def test_archives_that_belong_at_the_end(formats, severity):
    found = verdicts("core.polyglot", " and ".join(formats), formats=formats, appended=True)
    assert found == [("MLG-COR-004", severity)]


def _imports(*subjects, home="net/", member="net/data/sample_inputs/model.pt", models=None):
    mark = Fact(
        kind="torch-export.archive",
        location=Location("m.pt2", member=f"{home}archive_format"),
        subject="archive_format",
    )
    facts = [
        Fact(kind="pickle.import", location=Location("m.pt2", member=member), subject=subject)
        for subject in subjects
    ]
    own = [rule for rule in rules.load() if rule.id == "MLG-TOR-004"]
    found = judge(own, [*facts, mark], Policy(version=1, models=models or Models()))
    return [(each.subject, each.severity.value) for each in found]


def test_pickles_of_an_export():
    assert _imports("torch.FloatStorage", "collections.OrderedDict") == []
    assert _imports("posix.system") == [("posix.system", "critical")]
    assert _imports("mine.Inputs", "mine.Inputs") == [("mine.Inputs", "medium")]
    assert _imports("mine.Inputs", models=Models(allow_globals=("mine.Inputs",))) == []
    assert _imports("posix.system", member="net/extra/x.pkl") == []
    assert _imports("posix.system", member="other/data/sample_inputs/model.pt") == []
    assert _imports("posix.system", home="a.pt2!/net/") == []
