"""Names for messages."""

from mlgate.checks.assessment.problems import few


def test_many_names_are_not_all_listed():
    assert few([f"column{n}" for n in range(100)]).endswith("and 92 more")
    assert few([]) == "nothing"
