import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlgate.core.facts import Fact, Location
from mlgate.core.judge import judge
from mlgate.core.severity import Severity
from mlgate.policy.schema import Policy
from mlgate.rules import typosquat
from mlgate.rules.typosquat import RULES, resembles


def findings(name):
    return judge(
        RULES, [Fact("dependency.required", Location("requirements.txt", line=3), name)], Policy(version=1)
    )


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("tensorfow", "tensorflow"),
        ("tensorfloww", "tensorflow"),
        ("tensorflaw", "tensorflow"),
        ("tensroflow", "tensorflow"),
        ("tensor-flow", "tensorflow"),
        ("scikitlearn", "scikit-learn"),
        ("learn-scikit", "scikit-learn"),
        ("hub-huggingface", "huggingface-hub"),
        ("panads", "pandas"),
        ("reqeusts", "requests"),
        ("torchvison", "torchvision"),
        ("trasformers", "transformers"),
    ],
)
def test_one_slip_is_a_low_finding_that_names_what_may_be_meant(name, meant):
    (finding,) = findings(name)
    assert (finding.rule, finding.severity, finding.location.line) == ("MLG-DEP-006", Severity.LOW, 3)
    assert f" {meant}," in finding.message
    assert finding.fix.startswith(f"write {meant} ")


@pytest.mark.parametrize(
    "name",
    [
        "tensorflow",
        "torch",
        "torchx",
        "gpytorch",
        "tensorboardx",
        "kerasn",
        "scapy",
        "unicorn",
        "psycopg",
        "cattrs",
        "tensorfloooow",
        "jux",
        "onx",
        "dask",
        "acme",
        "",
        "-",
        "x" * 5000,
    ],
)
def test_real_names_and_distant_ones_are_left_in_peace(name):
    assert findings(name) == ()


def test_the_tables_hold_normalised_names_and_no_needless_one():
    real, variants, _ = typosquat._tables()
    assert all(name == name.lower() and "_" not in name and "." not in name for name in real)
    well_known = {name for names in variants.values() for name in names}
    for name in real - well_known:
        near = any(
            typosquat._one_slip(name, known)
            for variant in typosquat._variants(name)
            for known in variants.get(variant, ())
        )
        assert near or len(name) < 5, name


def distance(left, right):
    """Optimal string alignment, by the book."""
    rows = {(i, 0): i for i in range(len(left) + 1)} | {(0, j): j for j in range(len(right) + 1)}
    for i in range(1, len(left) + 1):
        for j in range(1, len(right) + 1):
            cost = left[i - 1] != right[j - 1]
            rows[i, j] = min(rows[i - 1, j] + 1, rows[i, j - 1] + 1, rows[i - 1, j - 1] + cost)
            if i > 1 and j > 1 and left[i - 1] == right[j - 2] and left[i - 2] == right[j - 1]:
                rows[i, j] = min(rows[i, j], rows[i - 2, j - 2] + 1)
    return rows[len(left), len(right)]


@settings(max_examples=300, deadline=None, database=None, derandomize=True)
@given(st.text("ab", max_size=6), st.text("ab", max_size=6))
def test_one_slip_is_distance_one(left, right):
    assert typosquat._one_slip(left, right) == (distance(left, right) == 1) or left == right


@settings(max_examples=100, deadline=None, database=None, derandomize=True)
@given(st.text(max_size=30))
def test_any_name_is_answered(name):
    assert resembles(name) is None or isinstance(resembles(name), str)
