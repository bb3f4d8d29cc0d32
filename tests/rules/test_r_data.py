import pytest
from tests.rules.cases import verdicts


@pytest.mark.parametrize(
    ("kind", "frame", "promised", "severity"),
    [
        ("r.promise", False, False, "critical"),
        ("r.promise", True, False, "low"),
        ("r.call", True, True, "critical"),
        ("r.call", False, False, "medium"),
        ("r.mapped", False, False, "high"),
        ("r.bytecode", False, False, "low"),
        ("r.closure", False, False, "info"),
    ],
)
def test_code_in_r_data(kind, frame, promised, severity):
    assert verdicts(kind, frame=frame, promised=promised) == [("MLG-RDS-001", severity)]
