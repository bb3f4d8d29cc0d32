import pytest
from tests.rules.cases import verdicts


@pytest.mark.parametrize(
    ("kind", "detail", "expected"),
    [
        ("native.class", {"what": "custom layer"}, [("MLG-NAT-001", "low")]),
        ("native.function", {"what": "operator"}, [("MLG-NAT-001", "medium")]),
        ("native.module", {"what": "layer"}, [("MLG-NAT-001", "high")]),
        ("native.module", {"what": "layer", "plain": False}, [("MLG-NAT-001", "critical")]),
        ("native.library", {"what": "function"}, [("MLG-NAT-001", "high")]),
        ("native.path", {"escape": "parent"}, [("MLG-NAT-002", "high")]),
        ("native.name", {}, [("MLG-NAT-003", "medium")]),
    ],
)
def test_what_each_fact_comes_to(kind, detail, expected):
    assert verdicts(kind, **detail) == expected
