import pytest
from tests.rules.cases import verdicts

EFFECT = {"act": "executes", "where": "import", "source": "", "container": "torch-model-archive"}
NODE = {"loader": "FunctionNode", "module": "os", "name": "system", "method": "", "owner": ""}
TARGET = {"key": "_target_", "nemo": False, "container": ""}


@pytest.mark.parametrize(
    ("kind", "subject", "detail", "expected"),
    [
        ("yaml.tag", "os.system", {"how": "call", "dialect": "python"}, [("MLG-YML-001", "critical")]),
        ("yaml.tag", "acme.x", {"how": "name", "dialect": "hyperpyyaml"}, []),
        ("yaml.tag", "../x", {"how": "include", "dialect": "hyperpyyaml"}, [("MLG-YML-001", "high")]),
        (
            "yaml.tag",
            "java.net.URLClassLoader",
            {"how": "instance", "dialect": "java"},
            [("MLG-YML-001", "high")],
        ),
        ("yaml.tag", "org.acme.Config", {"how": "instance", "dialect": "java"}, [("MLG-YML-001", "medium")]),
        ("yaml.tag", "java.util.Date", {"how": "instance", "dialect": "java"}, []),
        ("config.target", "joblib.load", TARGET, [("MLG-HFR-006", "high")]),
        ("config.target", "urllib.request.urlopen", TARGET, [("MLG-HFR-006", "high")]),
        ("config.target", "imaplib.IMAP4_stream", TARGET, [("MLG-HFR-006", "critical")]),
        ("config.target", "os.system", TARGET, [("MLG-HFR-006", "critical")]),
        ("config.target", "os.system", {**TARGET, "nemo": True}, [("MLG-NMO-001", "critical")]),
        ("config.target", "acme.X", {**TARGET, "nemo": True}, [("MLG-NMO-001", "medium")]),
        ("config.target", "acme.X", TARGET, []),
        ("config.expression", "?", {"act": "imports", "source": ""}, [("MLG-HFR-006", "high")]),
        ("python.effect", "os.system", EFFECT, [("MLG-HFR-004", "high")]),
        ("python.effect", "?", {**EFFECT, "act": "imports"}, [("MLG-HFR-004", "high")]),
        ("python.effect", "ctypes.CDLL", {**EFFECT, "act": "native"}, [("MLG-HFR-004", "high")]),
        (
            "python.effect",
            "x",
            {**EFFECT, "act": "evaluates", "source": "decoded"},
            [("MLG-HFR-004", "critical")],
        ),
        ("python.effect", "x", {**EFFECT, "where": "load"}, [("MLG-HFR-004", "medium")]),
        ("python.dataset-builder", "D", {}, [("MLG-HFR-005", "medium")]),
        ("skops.node", "os.system", NODE, [("MLG-SKP-001", "critical")]),
        (
            "skops.node",
            "operator.call",
            {**NODE, "loader": "OperatorFuncNode"},
            [("MLG-SKP-001", "critical")],
        ),
        ("xml.entity", "x", {"external": True, "value": "SYSTEM"}, [("MLG-XML-001", "high")]),
        ("xml.entity", "x", {"external": False, "value": "y"}, [("MLG-XML-001", "high")]),
        ("xml.doctype", "PMML", {"external": ""}, [("MLG-XML-001", "medium")]),
        ("xml.script", "script", {}, [("MLG-XML-001", "high")]),
        ("xml.include", "", {}, [("MLG-XML-001", "high")]),
        ("pmml.function", "a.B", {}, [("MLG-XML-001", "medium")]),
        ("booster.malformed", "a tree has no leaves", {"format": "lightgbm"}, [("MLG-GBT-001", "medium")]),
        ("booster.pickle", "note", {"format": "xgboost"}, [("MLG-GBT-001", "medium")]),
        ("mlflow.loader", "os", {"loader": "MLflow"}, [("MLG-MLF-001", "high")]),
        ("mlflow.path", "../x", {"key": "data", "escape": "parent"}, [("MLG-MLF-001", "high")]),
        ("mlflow.path", "x", {"key": "data", "escape": None}, []),
        ("mlflow.trusted", "os.system", {}, [("MLG-MLF-001", "critical")]),
        ("mlflow.trusted", "acme.X", {}, []),
        ("notebook.command", "download", {"text": "x"}, [("MLG-NBK-001", "medium")]),
        ("notebook.command", "hidden", {"text": "x"}, [("MLG-NBK-001", "high")]),
        ("notebook.command", "connection", {"text": "x"}, [("MLG-NBK-001", "high")]),
        ("notebook.output", "text/html", {"kernel": False}, [("MLG-NBK-001", "info")]),
        ("notebook.output", "text/html", {"kernel": True}, [("MLG-NBK-001", "medium")]),
    ],
)
def test_what_each_fact_comes_to(kind, subject, detail, expected):
    assert verdicts(kind, subject, **detail) == expected
