import pytest
from tests.rules.cases import verdicts


@pytest.mark.parametrize(
    ("name", "pickled", "severity"),
    [
        ("arrow.py_extension_type", False, "critical"),
        ("arrow.py_extension_type", True, "critical"),
        ("ray.data.arrow_tensor", True, "medium"),
        ("ray.data.arrow_pickled_object", False, "medium"),
    ],
)
def test_types_that_are_unpickled(name, pickled, severity):
    assert verdicts("arrow.extension", name, pickled=pickled) == [("MLG-ARR-001", severity)]
