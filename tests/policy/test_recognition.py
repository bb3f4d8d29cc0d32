from msgspec.structs import replace

from mlgate.core.facts import Check, Location, NotChecked
from mlgate.core.findings import Finding, fingerprint
from mlgate.core.severity import Severity
from mlgate.policy.baseline import Baseline
from mlgate.policy.recognition import entries, recognise, status

BYTES, OTHER = "a" * 64, "b" * 64


def finding(path="models/a.pkl", subject="os.system", ordinal=0, severity=Severity.HIGH, **more):
    values = {"location": Location(path, offset=41), "check": Check.MODELS, **more}
    member, advisory = values["location"].member, values.get("advisory")
    return Finding(
        rule="MLG-PKL-002",
        name="n",
        severity=severity,
        subject=subject,
        message="m",
        fix="f",
        fingerprint=fingerprint("MLG-PKL-002", path, member, subject, advisory, str(ordinal)),
        **values,
    )


def vulnerable(path="requirements.txt", line=3, advisory="PYSEC-1", **more):
    place = Location(path, line=line)
    values = {"aliases": ("CVE-1",), **more}
    return finding(
        path, "torch==2.1.0", location=place, check=Check.DEPENDENCIES, advisory=advisory, **values
    )


def gap(reason="lfs-pointer", path="b.bin", check=Check.MODELS, line=None, subject="", written=""):
    return NotChecked(check, reason, Location(path, line=line), "m", subject, written)


def baseline(findings=(), gaps=(), contents=None):
    found = [entry for each in entries(findings, gaps, contents or {}) for entry in each if entry is not None]
    return Baseline(tuple(found), "b.json", "0" * 64)


def again(before, findings=(), gaps=(), contents=None, *, complete=True):
    return recognise(before, findings, gaps, contents or {}, complete=complete)


def stale(recognition):
    return [entry.status for entry in recognition.stale]


def test_what_was_there_is_known():
    before = baseline([finding(), vulnerable()], [gap()], {"models/a.pkl": BYTES, "b.bin": BYTES})
    now = again(before, [finding(), vulnerable()], [gap()], {"models/a.pkl": BYTES, "b.bin": BYTES})
    assert set(now.findings) == {0, 1}
    assert set(now.gaps) == {0}
    assert not now.stale
    assert (status(before, now).entries, status(before, now).known) == (3, 3)


def test_what_is_new_is_not():
    now = again(baseline([vulnerable()]), [vulnerable(), vulnerable(advisory="PYSEC-2", aliases=())])
    assert set(now.findings) == {0}


def test_a_moved_line_changes_nothing():
    assert again(baseline([vulnerable(line=3)]), [vulnerable(line=300)]).findings


def test_an_advisory_may_go_by_another_of_its_names():
    before = baseline([vulnerable(advisory="PYSEC-1")])
    assert again(before, [vulnerable(advisory="GHSA-1", aliases=("CVE-1", "PYSEC-1"))]).findings
    assert not again(before, [vulnerable(advisory="GHSA-2", aliases=("CVE-2",))]).findings


def test_one_entry_knows_one_of_two_advisories():
    before = baseline([vulnerable(advisory="PYSEC-1")])
    two = [
        vulnerable(advisory="GHSA-1", aliases=("PYSEC-1",)),
        vulnerable(advisory="GHSA-2", aliases=("PYSEC-1",)),
    ]
    assert len(again(before, two).findings) == 1


def test_another_version_is_new():
    moved = replace(vulnerable(), subject="torch==2.2.0", fingerprint="1" * 64)
    now = again(baseline([vulnerable()]), [moved])
    assert not now.findings
    assert stale(now) == ["gone"]


def test_a_model_whose_bytes_changed_is_looked_at_anew():
    before = baseline([finding()], [gap()], {"models/a.pkl": BYTES, "b.bin": BYTES})
    now = again(before, [finding()], [gap()], {"models/a.pkl": OTHER, "b.bin": OTHER})
    assert not now.findings
    assert not now.gaps
    assert stale(now) == ["changed", "changed"]


def test_a_model_whose_bytes_lie_elsewhere_now_is_known():
    before = baseline([finding()], (), {"models/a.pkl": BYTES})
    assert again(before, [finding("old/z.pkl")], (), {"old/z.pkl": BYTES}).findings


def test_a_copy_is_new_and_the_one_that_stayed_is_the_known_one():
    before = baseline([finding()], (), {"models/a.pkl": BYTES})
    both = {"a/copy.pkl": BYTES, "models/a.pkl": BYTES}
    assert set(again(before, [finding("a/copy.pkl"), finding()], (), both).findings) == {1}


def test_a_copy_is_new_where_the_one_that_stayed_was_not_looked_at():
    before = baseline([finding()], [gap()], {"models/a.pkl": BYTES, "b.bin": OTHER})
    found = [finding("a/copy.pkl")], [gap(path="c.bin")], {"a/copy.pkl": BYTES, "c.bin": OTHER}
    now = recognise(before, *found, complete=False, staying={"models/a.pkl", "b.bin"})
    assert not now.findings
    assert not now.gaps
    assert again(before, *found, complete=False).findings


def test_a_text_may_change_around_a_finding_because_the_diff_shows_it():
    text = finding("a.py", location=Location("a.py", line=3))
    before = baseline([text], (), {"a.py": BYTES})
    assert again(before, [replace(text, location=Location("a.py", line=9))], (), {"a.py": OTHER}).findings


def test_a_text_inside_an_archive_is_bound_to_the_archive():
    inside = finding("a.pt", location=Location("a.pt", "code/x.py", line=3))
    before = baseline([inside], (), {"a.pt": BYTES})
    assert again(before, [inside], (), {"a.pt": BYTES}).findings
    assert not again(before, [inside], (), {"a.pt": OTHER}).findings


def test_a_finding_that_grew_worse_is_new_and_one_that_grew_milder_is_not():
    before = baseline([vulnerable(severity=Severity.MEDIUM)])
    worse = again(before, [vulnerable(severity=Severity.CRITICAL)])
    assert not worse.findings
    assert stale(worse) == ["worse"]
    assert again(before, [vulnerable(severity=Severity.LOW)]).findings


def test_what_nobody_rated_does_not_grow_worse_by_another_threshold():
    before = baseline([vulnerable(severity=Severity.HIGH, rated=False)])
    assert again(before, [vulnerable(severity=Severity.CRITICAL, rated=False)]).findings
    assert again(before, [vulnerable(severity=Severity.HIGH)]).findings
    assert not again(before, [vulnerable(severity=Severity.CRITICAL)]).findings


def test_one_entry_knows_one_finding():
    before = baseline([finding()], (), {"models/a.pkl": BYTES})
    assert len(again(before, [finding(), finding(ordinal=1)], (), {"models/a.pkl": BYTES}).findings) == 1


def test_an_entry_cannot_speak_of_one_thing_and_accept_another():
    honest = baseline([vulnerable()])
    lying = replace(
        honest, entries=(replace(honest.entries[0], path="docs/requirements.txt", subject="tea==1"),)
    )
    assert not again(lying, [vulnerable()]).findings


def test_what_a_run_did_not_look_at_is_not_called_gone():
    assert stale(again(baseline([vulnerable()]), complete=False)) == []
    assert stale(again(baseline([vulnerable()]), complete=True)) == ["gone"]


def test_what_a_baseline_cannot_hold():
    threshold = finding(".mlgate.yaml", check=Check.ASSESSMENT, location=Location(".mlgate.yaml", line=3))
    loosened = replace(threshold, check=Check.POLICY)
    unread = [
        gap("advisories-too-old", ".", Check.DEPENDENCIES),
        gap("no-answer", "requirements.txt", Check.DEPENDENCIES, 3, "torch==2.1.0"),
        gap("policy", ".mlgate.yaml", Check.POLICY),
        gap("submodule", "vendored", Check.TARGET),
        gap("unreadable", "locked.pkl"),
    ]
    every = {".mlgate.yaml": BYTES, "requirements.txt": BYTES, ".": BYTES, "vendored": BYTES}
    assert not baseline([threshold, loosened, finding("unhashed.pkl")], unread, every).entries


def test_an_unpinned_requirement_is_held_by_its_manifest():
    before = baseline((), [gap("unpinned", "requirements.txt", Check.DEPENDENCIES, 3, "numpy")])
    assert again(before, (), [gap("unpinned", "requirements.txt", Check.DEPENDENCIES, 9, "numpy")]).gaps
    assert not again(before, (), [gap("unpinned", "requirements.txt", Check.DEPENDENCIES, 3, "scipy")]).gaps


def test_a_requirement_of_another_address_is_new():
    def url(line, host):
        written = f"a @ https://{host}/a.whl"
        return gap("url-requirement", "r.txt", Check.DEPENDENCIES, line, "a", written)

    before = baseline((), [url(3, "good.example")])
    assert again(before, (), [url(9, "good.example")]).gaps
    assert not again(before, (), [url(3, "evil.example")]).gaps


def test_a_hostile_baseline_costs_no_more_than_it_is_long():
    one = baseline([vulnerable()]).entries[0]
    bound = baseline([finding()], (), {"models/a.pkl": BYTES}).entries[0]
    entries = [replace(one, fingerprint=f"{n:064x}") for n in range(20_000)]
    entries += [replace(bound, path=f"{n}", fingerprint=f"{n:064x}") for n in range(20_000)]
    hostile = Baseline(tuple(entries), "b.json", "0" * 64)
    many = [finding(f"x/{n}", ordinal=n) for n in range(2_000)]
    many += [vulnerable(advisory=f"A-{n}", aliases=("PYSEC-1", "B", "C")) for n in range(2_000)]
    assert len(again(hostile, many, (), {f"x/{n}": BYTES for n in range(2_000)}).findings) == 4_000
