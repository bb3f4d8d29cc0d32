import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from mlgate.checks.dependencies.advisories.matching import UnreadableRangeError, extent, intervals
from mlgate.checks.dependencies.advisories.records import Affected, Event, Range

QUICK = settings(max_examples=300, deadline=None, database=None, derandomize=True)

RELEASES = st.lists(st.integers(0, 3), min_size=1, max_size=3).map(lambda parts: ".".join(map(str, parts)))
SUFFIXES = st.sampled_from(["", "", "a1", "b2", "rc1", ".post1", ".dev2", "rc1.dev1", ".post2.dev3"])
VERSIONS = st.builds(lambda release, suffix: release + suffix, RELEASES, SUFFIXES)


def events(*pairs):
    return tuple(Event(**{kind: at}) for kind, at in pairs)


def affects(version, *ranges, versions=()):
    entry = Affected(ranges=tuple(Range("ECOSYSTEM", events(*pairs)) for pairs in ranges), versions=versions)
    return extent([entry]).affects(Version(version))


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("0.9", False),
        ("1.0", True),
        ("1.4.9", True),
        ("1.5", False),
        ("1.5.post1", False),
        ("2.0", True),
        ("2.1", False),
    ],
)
def test_several_intervals_of_one_range(version, expected):
    pairs = [("introduced", "1.0"), ("fixed", "1.5"), ("introduced", "2.0"), ("fixed", "2.1")]
    assert affects(version, pairs) is expected
    assert affects(version, pairs[::-1]) is expected


@pytest.mark.parametrize(
    ("version", "expected"), [("1.0rc1", False), ("1.5rc1", True), ("1.4.post3", True), ("1.5.dev0", True)]
)
def test_pre_and_post_releases_at_the_bounds_are_compared_as_they_are(version, expected):
    # SpecifierSet(">=1.0,<1.5") leaves 1.5rc1 out, and with it an affected release.
    assert affects(version, [("introduced", "1.0"), ("fixed", "1.5")]) is expected


@pytest.mark.parametrize(
    ("version", "expected"), [("1.0", True), ("1.0.0", True), ("1.0.post1", False), ("1.1", False)]
)
def test_last_affected_is_affected_itself(version, expected):
    assert affects(version, [("introduced", "0"), ("last_affected", "1.0")]) is expected
    assert affects(version, [("introduced", "1.0"), ("last_affected", "1.0")]) is expected


@pytest.mark.parametrize(
    ("version", "expected"), [("0.5", True), ("1.0", True), ("1.5", True), ("2.0", False)]
)
def test_a_version_that_is_fixed_and_introduced_is_affected(version, expected):
    pairs = [("introduced", "0"), ("fixed", "1.0"), ("introduced", "1.0"), ("fixed", "2.0")]
    assert affects(version, pairs) is expected


def test_a_range_that_is_fixed_where_it_begins_is_empty():
    assert not affects("1.0", [("introduced", "1.0"), ("fixed", "1.0")])
    assert not affects("2.0", [("introduced", "1.0"), ("fixed", "1.0")])


def test_introduced_at_0_comes_before_every_version():
    assert affects("0.dev0", [("introduced", "0")])
    assert affects("0a1", [("introduced", "0"), ("fixed", "1")])


def test_a_limit_ends_what_is_affected():
    assert affects("1.9", [("introduced", "1.0"), ("limit", "2.0")])
    assert not affects("2.0", [("introduced", "1.0"), ("limit", "2.0")])
    assert affects("9", [("introduced", "1.0"), ("limit", "*")])


def test_without_an_introduction_nothing_is_affected():
    assert not affects("0.1", [("fixed", "1.0")])


def test_a_listed_version_is_affected_whatever_the_ranges_say():
    assert affects("3.2a1", [("introduced", "4.0")], versions=("3.2a1", "not-a-version"))
    assert affects("3.2.0", versions=("3.2",))


def test_several_entries_are_joined():
    entries = [
        Affected(ranges=(Range("ECOSYSTEM", events(("introduced", "1"), ("fixed", "2"))),)),
        Affected(ranges=(Range("ECOSYSTEM", events(("introduced", "3"), ("fixed", "4"))),)),
    ]
    joined = extent(entries)
    assert [joined.affects(Version(text)) for text in ("1.5", "2.5", "3.5", "4")] == [
        True,
        False,
        True,
        False,
    ]
    assert [str(end) for end in joined.fixes] == ["2", "4"]


@pytest.mark.parametrize("text", ["", "main", "1.0-final-x", "1" * 5000, "v", "2.0.1rc2-git"])
def test_an_event_that_is_no_version_is_said(text):
    with pytest.raises(UnreadableRangeError):
        intervals(events(("introduced", "0"), ("fixed", text)))
    entry = Affected(ranges=(Range("ECOSYSTEM", events(("introduced", text))),), versions=("1.0",))
    assert extent([entry]).doubt
    assert extent([entry]).affects(Version("1.0"))


@pytest.mark.parametrize("text", ["main", "2019-09-12", "", "1" * 5000])
def test_what_lies_nowhere_leaves_every_version_uncertain(text):
    entry = Affected(ranges=(Range("ECOSYSTEM", events(("introduced", "0"), ("last_affected", text))),))
    assert extent([entry]).uncertain(Version("1.0"))
    assert not extent([entry]).affects(Version("1.0"))


@pytest.mark.parametrize("kind", ["fixed", "last_affected"])
@pytest.mark.parametrize(
    ("version", "affected", "certain"),
    [
        ("2.5.1", True, True),
        ("2.6.0rc1", False, False),
        ("2.6.0", False, False),
        ("2.6.0.post1", False, False),
        ("2.6.1", False, True),
        ("3.0", False, True),
    ],
)
def test_an_event_near_a_release_leaves_only_that_release_uncertain(kind, version, affected, certain):
    # PYSEC-2025-189 ends at "2.6.0-cu124": later versions of torch are not in doubt.
    entry = Affected(ranges=(Range("ECOSYSTEM", events(("introduced", "0"), (kind, "2.6.0-cu124"))),))
    found = extent([entry])
    assert found.affects(Version(version)) is affected
    assert (found.uncertain(Version(version)) == "") is certain


def test_ranges_of_commits_are_no_versions():
    assert extent([Affected(ranges=(Range("GIT", events(("introduced", "0"))),))]).unreadable
    listed = Affected(ranges=(Range("GIT", events(("introduced", "abc"))),), versions=("1.0",))
    assert not extent([listed]).unreadable
    assert not extent([listed]).affects(Version("2.0"))


def evaluate(version, pairs):
    """The OSV schema's own evaluation: walk the sorted events, and remember."""
    order = {"introduced": 0, "last_affected": 1, "fixed": 2}

    def key(pair):
        kind, at = pair
        return (0,) if at == "0" and kind == "introduced" else (1, Version(at), order[kind])

    vulnerable = False
    for kind, at in sorted(pairs, key=key):
        if kind == "introduced":
            vulnerable |= at == "0" or version >= Version(at)
        elif kind == "fixed":
            vulnerable &= version < Version(at)
        else:
            vulnerable &= version <= Version(at)
    return vulnerable


@QUICK
@given(
    VERSIONS,
    st.lists(VERSIONS, min_size=1, max_size=6, unique_by=Version),
    st.sampled_from(["fixed", "last_affected"]),
    st.booleans(),
)
def test_agrees_with_the_schemas_evaluation(version, bounds, end, from_zero):
    bounds = sorted(bounds, key=Version)
    pairs = [("introduced" if index % 2 == 0 else end, at) for index, at in enumerate(bounds)]
    if from_zero:
        pairs = [("introduced", "0"), (end, bounds[0]), *pairs[2:]]
    assert affects(version, pairs) == evaluate(Version(version), pairs)


@QUICK
@given(VERSIONS, VERSIONS, VERSIONS)
def test_agrees_with_packaging_on_final_releases(version, start, end):
    # Where no pre-, post- or development release is about, specifiers mean the same.
    low, high = sorted((Version(start).base_version, Version(end).base_version), key=Version)
    final = Version(version).base_version
    expected = SpecifierSet(f">={low},<{high}").contains(final)
    assert affects(final, [("introduced", low), ("fixed", high)]) is expected


@QUICK
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["introduced", "fixed", "last_affected", "limit"]), VERSIONS | st.text(max_size=5)
        ),
        max_size=6,
    )
)
def test_intervals_are_in_order_and_apart(pairs):
    try:
        found = intervals(events(*pairs))
    except UnreadableRangeError:
        return
    for before, after in zip(found, found[1:], strict=False):
        assert before.end is not None
        assert after.start is not None
        assert before.end <= after.start
