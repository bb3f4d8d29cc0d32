import pytest
from tests.rules.cases import verdicts

from mlgate.checks.models.formats._tensorflow import operators
from mlgate.rules import tensorflow


def op(name, *, graph="saved-model", texts=(), constant=False, escape=None, known=True):
    return verdicts(
        "tensorflow.op",
        name,
        graph=graph,
        scope="f",
        texts=list(texts),
        constant=constant,
        escape=escape,
        known=known,
    )


@pytest.mark.parametrize(
    ("name", "detail", "expected"),
    [
        ("WriteFile", {}, [("MLG-TFS-001", "high")]),
        ("WriteFile", {"graph": "meta-graph"}, [("MLG-TFS-001", "high")]),
        ("ReadFile", {}, [("MLG-TFS-001", "medium")]),
        ("ReadFile", {"constant": True}, [("MLG-TFS-001", "high")]),
        ("ReadFile", {"constant": True, "graph": "meta-graph"}, [("MLG-TFS-001", "low")]),
        ("TextLineDataset", {}, [("MLG-TFS-001", "medium")]),
        ("TextLineDataset", {"constant": True}, [("MLG-TFS-001", "high")]),
        ("TextLineDataset", {"constant": True, "graph": "meta-graph"}, [("MLG-TFS-001", "info")]),
        ("SnapshotDataset", {"constant": True}, [("MLG-TFS-001", "high")]),
        ("SnapshotDataset", {"constant": True, "graph": "meta-graph"}, [("MLG-TFS-001", "info")]),
        ("TextLineDataset", {"graph": "meta-graph"}, [("MLG-TFS-001", "info")]),
        ("SaveV2", {"constant": True}, []),
        ("SaveV2", {"constant": True, "escape": "absolute"}, [("MLG-TFS-001", "high")]),
        (
            "ReadFile",
            {"constant": True, "graph": "meta-graph", "escape": "absolute"},
            [("MLG-TFS-001", "high")],
        ),
        ("RestoreV2", {"constant": True}, []),
        ("RestoreV2", {"constant": True, "escape": "absolute"}, [("MLG-TFS-001", "medium")]),
        ("RestoreV2", {"constant": True, "escape": "absolute", "graph": "meta-graph"}, []),
        ("DataServiceDataset", {}, [("MLG-TFS-001", "high")]),
        ("Abort", {}, [("MLG-TFS-001", "medium")]),
        ("CreateSummaryFileWriter", {}, [("MLG-TFS-001", "medium")]),
        ("DebugIdentity", {"texts": ["x"]}, []),
        ("DebugIdentity", {"texts": ["grpc://x"]}, [("MLG-TFS-001", "high")]),
        ("ImmutableConst", {"texts": ["memmapped_package://x"]}, []),
        ("ImmutableConst", {"texts": ["memmapped_package://x", "/x"]}, [("MLG-TFS-001", "high")]),
        ("EagerPyFunc", {}, [("MLG-TFS-002", "high")]),
        ("EagerPyFunc", {"graph": "meta-graph"}, [("MLG-TFS-002", "medium")]),
        ("XlaCallModule", {}, [("MLG-TFS-002", "info")]),
        ("MyOp", {"known": False}, [("MLG-TFS-002", "info")]),
    ],
)
def test_what_each_operator_comes_to(name, detail, expected):
    assert op(name, **detail) == expected


def test_assets_and_checkpoints():
    assert verdicts("tensorflow.asset", "../x", escape="parent") == [("MLG-TFS-004", "high")]
    assert verdicts("tensorflow.checkpoint", "/x", escape="absolute") == [("MLG-TFS-005", "info")]


def test_the_tables_of_operators_agree():
    named = set(tensorflow._categories()) | tensorflow._PYTHON
    acting = {name for name, acts in operators().items() if acts}
    assert named <= acting
    # The others run compiled code.
    assert all(name.startswith(("Xla", "TPU", "_TPU")) for name in acting - named)
