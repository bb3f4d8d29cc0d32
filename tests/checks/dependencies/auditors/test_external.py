"""Exact pins go to a tool, and every pin is accounted for."""

import pytest
from packaging.version import Version

from mlgate.checks.dependencies.auditor import Advisory, Answer, Pin
from mlgate.checks.dependencies.auditors import _external
from mlgate.checks.dependencies.auditors._command import FailedError
from mlgate.checks.dependencies.auditors._external import Reply


@pytest.fixture
def tool(scope_of):
    """Ask a tool that finds A-1 in everything; keep the files that it was given."""

    class Tool:
        def __init__(self):
            self.files = []
            self.fail_at = None
            self.doubt = ""

        def __call__(self, pins, file, seconds):
            assert list(file.parent.iterdir()) == [file]
            assert seconds > 0
            if self.fail_at == len(self.files):
                raise FailedError("auditor-service", "failed")
            self.files.append(file.read_text())
            return Reply({pin: Answer(advisories=(Advisory(id="A-1"),)) for pin in pins}, self.doubt)

        def answer(self, *pins, seconds=60.0):
            return _external.answer("tool", pins, self, scope=scope_of({}), seconds=seconds)

    return Tool()


def test_writes_exact_pins_and_gives_each_its_answer(tool):
    pins = [Pin("numpy", "1.0"), Pin("torch", "2.0")]
    answers, gaps = tool.answer(*pins)
    assert tool.files == ["numpy==1.0\ntorch==2.0\n"]
    assert (list(answers), gaps) == (pins, [])


def test_spellings_and_builds_of_one_version_are_one_question(tool):
    pins = [Pin("torch", version) for version in ["2.0", "2.0.0", "v2.0", "2.0+cu118", "2.0+cpu"]]
    answers, _ = tool.answer(*pins)
    assert len(tool.files) == 1
    assert tool.files[0].count("\n") == 1
    assert set(answers) == set(pins)


def test_versions_of_one_package_are_asked_about_apart(tool):
    tool.answer(Pin("a", "1"), Pin("a", "2"), Pin("b", "1"), Pin("a", "3"))
    assert tool.files == ["a==1\nb==1\n", "a==2\n", "a==3\n"]


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("a", "newest"),
        ("a", "1.*"),
        ("a", "1.0\n--index-url https://evil.example"),
        ("a", "9" * 5000),
        ("a\n--index-url https://evil.example\nb", "1.0"),
        ("-r", "1.0"),
        ("a @ https://evil.example", "1.0"),
        ("../a", "1.0"),
        ("${HOME}", "1.0"),
        ("", "1.0"),
    ],
)
def test_what_is_no_name_or_version_is_unknown_and_not_passed_on(tool, name, version):
    answers, gaps = tool.answer(Pin(name, version), Pin("b", "1.0"))
    assert answers[Pin(name, version)].unknown == "invalid-version"
    assert tool.files == ["b==1.0\n"]
    assert gaps == []


def test_a_failure_leaves_what_was_answered_and_names_the_rest(tool):
    tool.fail_at = 1
    answers, (gap,) = tool.answer(Pin("a", "1"), *(Pin("a", f"2.{index}") for index in range(5)))
    assert list(answers) == [Pin("a", "1")]
    assert gap.reason == "auditor-service"
    assert gap.message == "tool failed; without its answer: a==2.0, a==2.1, a==2.2 and 2 more"
    assert gap.subject == "tool"


def test_versions_of_one_package_are_bounded(tool):
    _, (gap,) = tool.answer(*(Pin("a", str(index)) for index in range(11)))
    assert (gap.reason, tool.files) == ("limit", [])


def test_time_is_bounded_over_all_runs(tool):
    answers, (gap,) = tool.answer(Pin("a", "1"), seconds=0.0)
    assert (answers, gap.reason) == ({}, "auditor-timeout")


def test_doubt_about_an_answer_is_not_checked_and_the_answer_is_heard(tool):
    tool.doubt = "left something out"
    answers, (gap,) = tool.answer(Pin("a", "1"))
    assert answers[Pin("a", "1")].advisories
    assert (gap.reason, gap.message) == ("auditor-incomplete", "tool left something out")


@pytest.mark.parametrize(("name", "version"), [("Torch", "2.0.0"), ("torch", "2.0"), ("TORCH", None)])
def test_a_tools_own_spelling_is_recognised(name, version):
    pins = {"torch": Version("2.0")}
    assert _external.recognise(name, version, pins) == ("torch", Version("2.0"))


@pytest.mark.parametrize(
    ("name", "version"), [("torch", "2.1"), ("numpy", "2.0"), ("torch", "x"), ("", "2.0")]
)
def test_what_was_not_asked_about_is_no_answer(name, version):
    with pytest.raises(FailedError):
        _external.recognise(name, version, {"torch": Version("2.0")})


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        (["1.0", "2.0", "1.5"], "1.5"),
        (["1.5rc1", "2.0"], "2.0"),
        (["1.5rc1"], "1.5rc1"),
        (["0.9", "main", "9" * 5000], None),
        ([], None),
    ],
)
def test_the_smallest_later_version_is_found(others, expected):
    assert _external.smallest_later(Version("1.0"), others) == expected
