import pytest
from tests.rules.cases import verdicts


@pytest.mark.parametrize(
    ("kind", "detail", "expected"),
    [
        ("torch.legacy", {}, [("MLG-TOR-002", "low")]),
        ("numpy.object", {}, [("MLG-NPY-001", "low")]),
        ("numpy.header", {}, [("MLG-NPY-002", "medium")]),
        ("safetensors.header", {}, [("MLG-SFT-001", "high")]),
        ("safetensors.offsets", {"how": "gap"}, [("MLG-SFT-002", "high")]),
        ("safetensors.offsets", {"how": "remainder"}, [("MLG-SFT-002", "high")]),
        ("safetensors.offsets", {"how": "beyond"}, [("MLG-SFT-002", "high")]),
        ("safetensors.shape", {"problem": "x"}, [("MLG-SFT-003", "medium")]),
        ("onnx.external", {"escape": "parent"}, [("MLG-ONX-001", "critical")]),
        ("onnx.external", {"escape": None}, []),
        ("onnx.external-link", {"link": "x"}, [("MLG-ONX-001", "critical")]),
        ("onnx.external", {"escape": "memory"}, [("MLG-ONX-001", "critical")]),
        ("onnx.domain", {}, [("MLG-ONX-002", "info")]),
        ("onnx.python", {"names": ()}, [("MLG-ONX-002", "medium")]),
        ("onnx.service", {}, [("MLG-ONX-002", "medium")]),
        ("onnx.damage", {"grave": True}, [("MLG-ONX-004", "high")]),
        ("onnx.damage", {"grave": False}, [("MLG-ONX-004", "medium")]),
        ("payload.executable", {"container": ""}, [("MLG-BIN-001", "high")]),
        ("payload.executable", {"container": "torch"}, [("MLG-BIN-001", "high")]),
        ("repository.symlink", {"target": "/x"}, [("MLG-REP-002", "high")]),
    ],
)
def test_what_each_fact_comes_to(kind, detail, expected):
    assert verdicts(kind, **detail) == expected
