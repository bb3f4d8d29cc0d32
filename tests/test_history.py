"""What earlier runs said, read from files that anybody may have written."""

import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.reports.sample import CLEAN, FULL, UNDECIDED

from mlgate import history
from mlgate.core.report import Verdict
from mlgate.reports import Style
from mlgate.reports import json as json_report

FUZZ = settings(max_examples=200, deadline=None, database=None, derandomize=True)


@pytest.fixture
def kept(tmp_path):
    """Write reports as files of one folder, a day apart, and return the folder."""

    def keep(*reports):
        for day, report in enumerate(reports, 1):
            started = f"2026-01-{day:02}T10:00:00+00:00"
            text = json_report.render(replace(report, started=started), Style())
            # Names in the opposite order: the time decides, and not the name.
            (tmp_path / f"run-{99 - day}.json").write_text(text)
        return tmp_path

    return keep


def test_runs_stand_oldest_first_with_their_numbers(kept):
    found = history.read([kept(FULL, UNDECIDED, CLEAN)])
    assert [run.verdict for run in found.runs] == [Verdict.FAIL, Verdict.UNDECIDED, Verdict.PASS]
    first = found.runs[0]
    assert (first.blocking, first.accepted, first.not_checked) == (4, 2, 10)
    assert first.severities == {"critical": 3, "high": 1, "medium": 1, "low": 1}
    assert first.policy == "5a" * 32
    assert first.version == "1.2.3"
    assert found.unreadable == ()


def test_what_a_waiver_or_the_baseline_accepts_is_counted_apart(kept):
    accepted = [one for one in FULL.findings if one.waived or one.baseline]
    (run,) = history.read([kept(replace(FULL, findings=tuple(accepted)))]).runs
    assert (run.blocking, run.accepted, run.severities) == (0, 2, {})


def test_a_folder_is_read_to_its_depth_and_only_for_json(kept):
    folder = kept(CLEAN)
    (folder / "deep").mkdir()
    (folder / "run-98.json").rename(folder / "deep" / "x.json")
    (folder / "notes.txt").write_text("not a report")
    found = history.read([folder])
    assert [run.path.endswith("deep/x.json") for run in found.runs] == [True]
    assert found.unreadable == ()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no JSON report of mlgate"),
        (b"{}", "no JSON report of mlgate (Object missing required field `version`)"),
        (b"[" * 100_000, "no JSON report of mlgate"),
        (b'{"version": 1, "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "no JSON report of mlgate"),
        (b"\xff\xfe\x00", "no JSON report of mlgate"),
        (b'{"version": 1, "verdict": "maybe"}', "no JSON report of mlgate"),
        (
            b'{"version": 7, "verdict": "pass", "started": "2026-01-01", "findings": [], "not_checked": []}',
            "of version 7, and this mlgate reads version 1",
        ),
        (
            b'{"version": 1, "verdict": "pass", "started": "soon", "findings": [], "not_checked": []}',
            "does not say when it started",
        ),
        (b'{"runs": [], "version": "2.1.0"}', "no JSON report of mlgate"),
    ],
)
def test_what_is_no_report_is_named_with_its_reason(content, reason, tmp_path, kept):
    bad = kept(CLEAN) / "bad.json"
    bad.write_bytes(content)
    found = history.read([tmp_path])
    assert len(found.runs) == 1
    assert len(found.unreadable) == 1
    assert found.unreadable[0].startswith(f"{bad}: ")
    assert reason in found.unreadable[0]


def test_what_is_missing_is_named(tmp_path):
    (problem,) = history.read([tmp_path / "gone.json"]).unreadable
    assert "No such file" in problem


def test_a_pipe_and_a_link_are_named_and_never_waited_for(kept):
    folder = kept(CLEAN)
    os.mkfifo(folder / "pipe.json")
    (folder / "link.json").symlink_to("/dev/zero")
    found = history.read([folder])
    assert len(found.runs) == 1
    assert any("a symbolic link, which is not followed" in problem for problem in found.unreadable)
    assert sorted(problem.partition(": ")[0].rpartition("/")[2] for problem in found.unreadable) == [
        "link.json",
        "pipe.json",
    ]


def test_a_link_that_is_named_is_followed(kept, tmp_path_factory):
    link = tmp_path_factory.mktemp("elsewhere") / "last.json"
    link.symlink_to(kept(CLEAN) / "run-98.json")
    (run,) = history.read([link]).runs
    assert run.path == link.as_posix()


def test_a_file_that_is_too_large_is_named(kept, monkeypatch):
    monkeypatch.setattr(history, "MOST_BYTES", 1 << 20)
    folder = kept(CLEAN)
    with (folder / "huge.json").open("wb") as stream:
        stream.truncate(1 << 33)
    assert "more than 1 MiB" in history.read([folder]).unreadable[0]


def test_what_lies_beyond_the_limit_is_said(kept, monkeypatch):
    monkeypatch.setattr(history, "MOST_FILES", 2)
    found = history.read([kept(CLEAN, CLEAN, CLEAN)])
    assert len(found.runs) == 2
    assert "at most 2 reports" in found.unreadable[0]


def test_times_with_and_without_a_zone_have_one_order(tmp_path):
    for name, started in (("a", "2026-01-01T12:00:00"), ("b", "2026-01-01T12:30:00+02:00")):
        report = json.loads(json_report.render(CLEAN, Style())) | {"started": started}
        (tmp_path / f"{name}.json").write_text(json.dumps(report))
    assert [run.path.rpartition("/")[2] for run in history.read([tmp_path]).runs] == ["b.json", "a.json"]


@FUZZ
@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.dictionaries(
                st.sampled_from(
                    ["version", "verdict", "started", "findings", "not_checked", "tool", "policy"]
                ),
                inner,
            )
            | st.lists(inner, max_size=3)
        ),
        max_leaves=12,
    ).map(lambda value: json.dumps(value).encode())
)
def test_any_bytes_are_a_run_or_a_reason(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("any") / "x.json"
    path.write_bytes(data)
    found = history.read([path])
    assert len(found.runs) + len(found.unreadable) == 1
