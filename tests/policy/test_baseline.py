import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgate.core.severity import Severity
from mlgate.policy.baseline import Entry, parse, render
from mlgate.policy.document import PolicyError

DIGEST = "0" * 64
FINDING = Entry("models/a.pkl", DIGEST, rule="MLG-PKL-002", severity=Severity.HIGH, subject="os.system")
GAP = Entry("b.bin", "1" * 64, reason="lfs-pointer", sha256="2" * 64)
names = st.text(st.characters(), max_size=20)
digests = st.text("0123456789abcdef", min_size=64, max_size=64)


def written(**changes):
    entry = {"path": "a", "fingerprint": DIGEST, "rule": "MLG-PKL-002", "severity": "high", **changes}
    return json.dumps({"version": 1, "entries": [entry]}).encode()


@given(
    st.lists(
        st.builds(
            Entry,
            names,
            digests,
            rule=st.just("R"),
            severity=st.sampled_from(Severity),
            subject=names,
            member=st.none() | names,
            sha256=st.none() | digests,
        ),
        unique=True,
    )
)
def test_what_is_written_is_read(entries):
    assert set(parse(render(entries).encode(), "b").entries) == set(entries)


def test_the_order_in_which_it_is_found_changes_nothing():
    assert render([FINDING, GAP]) == render([GAP, FINDING])


def test_an_entry_is_one_line_of_ascii():
    text = render([Entry("\u202egnp.exe\n\udcff", DIGEST, rule="R", severity=Severity.LOW)])
    assert text.isascii()
    assert len(text.splitlines()) == 5
    assert parse(text.encode(), "b").entries[0].path == "\u202egnp.exe\n\udcff"


def test_an_entry_stands_for_one_finding_only():
    raw = written().replace(b"[{", b"[" + written()[len(b'{"version": 1, "entries": [') : -2] + b", {")
    assert len(json.loads(raw)["entries"]) == 2
    assert len(parse(raw, "b").entries) == 1


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "not plain JSON"),
        (b"[" * 100_000, "not plain JSON"),
        (b'{"version": 1, "entries": [' + b'{"path":' * 50_000, "not plain JSON"),
        (b"\xff\xfe{}", "not plain JSON"),
        (b'{"version": ' + b"1" * 5000 + b"}", "not plain JSON"),
        (b"[]", "Expected `object`"),
        (b'{"version": 2, "entries": []}', "version"),
        (b'{"version": 1}', "entries"),
        (written(fingerprint="x"), "fingerprint"),
        (written(severity="awful"), "severity"),
        (written(severity=None), "neither a finding nor a reason"),
        (written(rule=""), "neither a finding nor a reason"),
        (written(reason="limit"), "neither a finding nor a reason"),
        (written(rules=["*"]), "unknown field `rules`"),
        (written(path=["a"]), "path"),
        (b'{"version": 1, "entries": NaN}', "entries"),
        (written()[:-3] + b', "path": "models/evil.pkl"}]}', "a key stands twice"),
        ('{"version": 1, "entries": []}\u202e'.encode(), "not plain JSON in ASCII"),
        (b"<<<<<<< HEAD\n" + written(), "not plain JSON"),
        (b" " * ((32 << 20) + 1), "larger than"),
    ],
)
def test_what_is_no_baseline_is_refused_by_name(raw, words):
    with pytest.raises(PolicyError) as caught:
        parse(raw, ".mlgate-baseline.json")
    assert str(caught.value).startswith(".mlgate-baseline.json")
    assert words in str(caught.value)


@given(st.binary(max_size=200))
def test_rubbish_is_refused_and_nothing_else_happens(raw):
    with pytest.raises(PolicyError):
        parse(raw, "b")
