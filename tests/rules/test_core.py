import pytest
from tests.rules.cases import verdicts

from mlgate.policy.schema import Models, Policy


def test_content_under_another_name_is_medium():
    assert verdicts("core.mismatch", "pickle", name="m.png", promised=[]) == [("MLG-COR-001", "medium")]


def test_bytes_that_nothing_accounts_for_are_medium():
    assert verdicts("core.unaccounted") == [("MLG-COR-003", "medium")]


@pytest.mark.parametrize(("appended", "severity"), [(False, "high"), (True, "medium")])
def test_two_formats_at_once(appended, severity):
    assert verdicts("core.polyglot", formats=["a", "b"], appended=appended) == [("MLG-COR-004", severity)]


def test_a_format_is_judged_only_where_the_policy_lists_formats():
    assert verdicts("core.format", "pickle") == []
    for allowed, expected in (
        (("pickle",), []),
        (("onnx",), [("MLG-COR-006", "high")]),
        ((), [("MLG-COR-006", "high")]),
    ):
        policy = Policy(version=1, models=Models(allow_formats=allowed))
        assert verdicts("core.format", "pickle", policy) == expected
