import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlgate.checks.dependencies.advisories.ratings import of_record, of_score, score
from mlgate.checks.dependencies.advisories.records import Rating
from mlgate.core.severity import Severity

# Vectors with the scores that FIRST publishes for them.
V3 = Rating("CVSS_V3", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H")
V4 = Rating("CVSS_V4", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N")
V2 = Rating("CVSS_V2", "AV:N/AC:L/Au:N/C:N/I:N/A:C")


@pytest.mark.parametrize(
    ("ratings", "expected"),
    [
        ([V3], 9.8),
        ([V4], 9.3),
        ([V2], 7.8),
        ([V2, V3, V4], 9.8),
        ([], None),
        ([Rating("CVSS_V3", "CVSS:3.1/AV:N")], None),
        ([Rating("CVSS_V3", "nonsense")], None),
        ([Rating("CVSS_V9", V3.score)], None),
        ([Rating("Ubuntu", "high")], None),
        ([Rating("CVSS_V3", V3.score + "/X" * 400)], None),
        ([Rating("CVSS_V3", "broken"), V4], 9.3),
    ],
)
def test_scores_vectors(ratings, expected):
    assert score(ratings) == expected


@settings(max_examples=200, deadline=None, database=None, derandomize=True)
@given(
    st.sampled_from(["CVSS_V2", "CVSS_V3", "CVSS_V4"]),
    st.text(max_size=60)
    | st.sampled_from([V3.score, V4.score]).flatmap(
        lambda text: st.integers(0, len(text)).map(lambda at: text[:at] + "/" + text[at:])
    ),
)
def test_is_total_on_any_vector(kind, text):
    assert score([Rating(kind, text)]) is None or 0 <= score([Rating(kind, text)]) <= 10


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (10.0, "critical"),
        (9.0, "critical"),
        (8.9, "high"),
        (7.0, "high"),
        (6.9, "medium"),
        (4.0, "medium"),
        (3.9, "low"),
        (0.1, "low"),
        (0.0, "info"),
    ],
)
def test_names_the_severity_of_a_score(value, expected):
    assert of_score(value) is Severity(expected)


@pytest.mark.parametrize(
    ("specific", "value", "expected"),
    [
        ({"severity": "MODERATE"}, None, Severity.MEDIUM),
        ({"severity": "critical"}, None, Severity.CRITICAL),
        ({"severity": "LOW"}, 8.0, Severity.HIGH),
        ({"severity": "HIGH"}, 2.0, Severity.HIGH),
        ({"severity": 3}, None, None),
        ({"severity": "SPICY"}, None, None),
        ([], 5.0, Severity.MEDIUM),
        (None, None, None),
    ],
)
def test_takes_the_graver_of_word_and_score(specific, value, expected):
    assert of_record(specific, value) is expected
