import codecs
import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlgate.checks.dependencies.manifest import Reading, Unreadable
from mlgate.checks.dependencies.manifests import requirements
from mlgate.core.limits import DEFAULT, Limits

FUZZ = settings(
    max_examples=150, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


def read(text, limits=DEFAULT):
    return requirements.read(text if isinstance(text, bytes) else text.encode(), limits)


def summary(text):
    return [(each.name, each.kind, each.version, each.line) for each in read(text).requirements]


@pytest.mark.parametrize(
    "path",
    [
        "requirements.txt",
        "a/requirements-dev.txt",
        "requirements_gpu.txt",
        "dev-requirements.txt",
        "Requirements.TXT",
        "requirements/base.txt",
        "requirements/gpu/cu121.txt",
        "requirements.in",
        "constraints.txt",
        "app.requirements.lock.txt",
    ],
)
def test_claims_requirement_files_by_name(path):
    assert requirements.claims(path)


@pytest.mark.parametrize(
    "path", ["notes.txt", "requirements.md", "requirements/readme.md", "labels/base.txt"]
)
def test_leaves_other_files_alone(path):
    assert not requirements.claims(path)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("torch==2.1.0", ("torch", "pinned", "2.1.0", 1)),
        ("Torch == 2.1.0  # why", ("torch", "pinned", "2.1.0", 1)),
        ("ruamel.yaml_x===1.0", ("ruamel-yaml-x", "pinned", "1.0", 1)),
        ("odd===not-a-version", ("odd", "pinned", "not-a-version", 1)),
        ("torch==2.1.0+cu121", ("torch", "pinned", "2.1.0+cu121", 1)),
        ("a==1.0,>=0.5", ("a", "pinned", "1.0", 1)),
        ("a==1.0,==1.0.0", ("a", "pinned", "1.0.0", 1)),
        ("a (==1.0)", ("a", "pinned", "1.0", 1)),
        ("a[x,y]==1.0 ; python_version < '3.9'", ("a", "pinned", "1.0", 1)),
        ("a==1.0,==2.0", ("a", "unpinned", None, 1)),
        ("a==2.*", ("a", "unpinned", None, 1)),
        ("a", ("a", "unpinned", None, 1)),
        ("a>=1,<2", ("a", "unpinned", None, 1)),
        ("a~=1.4.2", ("a", "unpinned", None, 1)),
        ("a!=1.0", ("a", "unpinned", None, 1)),
        ("a @ https://x.org/a-1.0.whl", ("a", "url-requirement", None, 1)),
        ("https://x.org/a-1.0.tar.gz", ("", "url-requirement", None, 1)),
        ("a @ git+https://x.org/a@v1", ("a", "vcs-requirement", None, 1)),
        ("git+ssh://git@x.org/a.git#egg=A.b", ("a-b", "vcs-requirement", None, 1)),
        ("-e git+https://x.org/a#egg=a", ("a", "vcs-requirement", None, 1)),
        ("./wheels/a-1.0-py3-none-any.whl", ("", "local-requirement", None, 1)),
        ("a-1.0-py3-none-any.whl", ("", "local-requirement", None, 1)),
        ("file:///srv/a.tar.gz", ("", "local-requirement", None, 1)),
        ("a @ file:///srv/a.tar.gz", ("a", "local-requirement", None, 1)),
        (r"C:\wheels\a.whl", ("", "local-requirement", None, 1)),
    ],
)
def test_reads_every_form_of_requirement(line, expected):
    assert summary(line) == [expected]
    assert read(line).problems == ()


def test_keeps_the_line_of_a_requirement_across_continuations_and_comments():
    text = "# head\n\na==1 \\\n  --hash=sha256:aa \\\n  --hash=sha256:bb\nb==2 \\\n# between\nc==3\n"
    found = read(text)
    assert [(each.name, each.line) for each in found.requirements] == [("a", 3), ("b", 6), ("c", 8)]
    assert [each.hashed for each in found.requirements] == [True, False, False]


def test_reads_requirements_behind_separators_that_an_editor_does_not_show():
    # pip splits at these; a comment must not hide what pip installs.
    assert summary("# harmless\u2028evil==1.0\n# more\x0cworse==2.0\nlast==3\n") == [
        ("evil", "pinned", "1.0", 1),
        ("worse", "pinned", "2.0", 2),
        ("last", "pinned", "3", 3),
    ]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_counts_lines_whatever_ends_them(ending):
    assert summary(ending.join(["a==1", "", "b==2"])) == [("a", "pinned", "1", 1), ("b", "pinned", "2", 3)]


@pytest.mark.parametrize(
    "data",
    [
        codecs.BOM_UTF8 + b"a==1\n",
        "a==1\n".encode("utf-16"),
        codecs.BOM_UTF16_BE + "a==1\n".encode("utf-16-be"),
        "a==1\n".encode("utf-32"),
        "# -*- coding: latin-1 -*-\n# caf\xe9\na==1\n".encode("latin-1"),
    ],
)
def test_decodes_what_pip_decodes(data):
    assert [each.name for each in read(data).requirements] == ["a"]


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfa a==1",
        "a==1\n".encode("utf-16-le"),
        b"# coding: rot13\nn==1\n",
        b"# coding: utf-7\n+AGE-==1\n",
        b"# coding: punycode\n\xff",
        b"# coding: no-such\n\xff",
    ],
)
def test_refuses_what_is_no_text(data):
    with pytest.raises(Unreadable) as caught:
        read(data)
    assert caught.value.reason == "unparseable"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("-r other.txt", ("other.txt", "requirements")),
        ("-rother.txt", ("other.txt", "requirements")),
        ("--requirement=other.txt", ("other.txt", "requirements")),
        ("--requirement other.txt", ("other.txt", "requirements")),
        ("--requirem other.txt", ("other.txt", "requirements")),
        ("-r 'with space.txt'", ("with space.txt", "requirements")),
        ("-c pins.txt", ("pins.txt", "constraints")),
        ("-e .", (".", "project")),
        ("-e ./libs/a[extra]", ("./libs/a", "project")),
        ("./libs/a", ("./libs/a", "project")),
        (".[dev]", (".", "project")),
    ],
)
def test_finds_includes(line, expected):
    assert [(each.path, each.role) for each in read(line).includes] == [expected]


@pytest.mark.parametrize("option", ["--extra-index-url", "--extra-index", "--find-links", "-f"])
def test_notes_a_second_index_without_its_secrets(option):
    (index,) = read(f"{option} https://user:secret@x.org/simple?token=t#f\n").indexes
    assert index.url == "https://***@x.org/simple"


@pytest.mark.parametrize(
    "line", ["--pre", "--no-index", "-i https://x.org/simple", "--find-links ./wheels", "--no-binary :all:"]
)
def test_accepts_options_that_add_no_index(line):
    assert read(line) == Reading()


@pytest.mark.parametrize(
    "line",
    [
        "--no-such-option",
        "--req other.txt",
        "--no 1",
        "-",
        "--",
        "-r",
        "--pre=1",
        "-r 'open",
        "a==1 --evil",
        "a==1 --hash",
        "a==1 --hash 'x",
        "a==",
        "a b c",
        "==1.0",
        "a==1; python_version <",
        "a @ ",
        "${PACKAGE}==1.0",
        "<<<<<<< HEAD",
        "a==1\\",
        "(" * 3000,
        "a==1; " + "(" * 1500 + "os_name=='a'" + ")" * 1500,
        "a" * 300_000,
    ],
)
def test_says_what_it_cannot_read_and_goes_on(line):
    found = read(f"x==1\n{line}\n\ny==2\n")
    assert [each.name for each in found.requirements] in (["x", "y"], ["x", "a", "y"])
    if line != "a==1\\":
        assert [(each.reason, each.line) for each in found.problems] == [("unparseable", 2)]


@pytest.mark.parametrize("line", ["a==1", "-r b.txt", "--extra-index-url https://x.org", "no requirement"])
def test_stops_at_the_limit_and_says_so(line):
    found = read(f"{line}\n" * 5, Limits(requirements=2))
    assert len(found.requirements) + len(found.includes) + len(found.indexes) + len(found.problems) == 3
    assert found.problems[-1].reason == "limit"


@FUZZ
@given(st.binary(max_size=400) | st.text(max_size=400).map(lambda text: text.encode("utf-8", "replace")))
def test_is_total_on_any_bytes(data):
    with contextlib.suppress(Unreadable):
        assert isinstance(requirements.read(data, DEFAULT), Reading)


WORDS = st.sampled_from(
    [
        "a",
        "==",
        "1.0",
        " ",
        "\\",
        "\n",
        "#",
        "-r",
        "-e",
        "--hash=",
        "[x]",
        ";",
        "@",
        "git+",
        "://",
        "'",
        ".",
        "/",
        "\t",
    ]
)


@FUZZ
@given(st.lists(WORDS, max_size=40).map("".join))
def test_every_line_with_content_is_accounted_for(text):
    # Nothing is dropped in silence: each logical line leaves a trace, or was an option without effect.
    found = requirements.read(text.encode(), DEFAULT)
    traces = len(found.requirements) + len(found.includes) + len(found.problems) + len(found.indexes)
    from mlgate.checks.dependencies.manifests._lines import logical_lines

    assert traces >= len(list(logical_lines(text)))


@pytest.mark.parametrize(
    "text",
    [
        "torch==2.1.0 # why \\\nevil==1.0\n",
        "torch==2.1.0 #\\\r\n-r evil.txt\n",
        "torch==2.1.0 --hash=sha256:00\\\nevil==1.0\n",
        "--only-binary :all:\\\n\\\nevil==1.0\n",
    ],
)
def test_what_pip_and_uv_read_differently_is_a_problem(text):
    problems = read(text).problems
    assert any("uv" in problem.message and problem.line == 1 for problem in problems)


@pytest.mark.parametrize(
    "text",
    [
        "torch==2.1.0 \\\n    --hash=sha256:00 \\\n    --hash=sha256:11\n",
        "torch==2.1.0\\\n    --hash=sha256:00\n",
        "# a path: C:\\\ntorch==2.1.0\n",
        "torch==2.1.0\\\n",
        "torch==2.1.0 \\\n# why\n",
    ],
)
def test_an_ordinary_continuation_is_no_problem(text):
    reading = read(text)
    assert [each.name for each in reading.requirements] == ["torch"]
    assert not reading.problems


@pytest.mark.parametrize(
    "line",
    [
        "-r a.txt -c pins.txt",
        "-c a.txt -c b.txt",
        "-r=evil.txt",
        "-r ${GITHUB_WORKSPACE}/a.txt",
        "--constraint=${HOME}/pins.txt",
        "-e ${HOME}/own",
    ],
)
def test_an_include_that_installers_may_find_elsewhere_is_a_problem(line):
    assert [problem.reason for problem in read(line).problems] == ["unparseable"]


def test_a_token_in_an_index_address_is_no_problem():
    assert not read("--extra-index-url https://${TOKEN}@x.org/simple").problems


def test_many_continued_lines_are_read_in_one_go():
    reading = read("a==1 \\\n" * 100_000)
    assert [problem.reason for problem in reading.problems] == ["unparseable"]


@settings(deadline=None)
@given(st.text(alphabet="a=1#\\ \n\r\v\f\x1c\x1e\x85\u2028", max_size=40))
def test_lines_end_where_python_ends_them(text):
    from mlgate.checks.dependencies.manifests._lines import _line

    assert [found[0] for found in _line().finditer(text) if found[0]] == text.splitlines(keepends=True)


def test_lines_that_are_joined_without_end_are_refused():
    with pytest.raises(Unreadable, match="joins more than"):
        requirements.read(b"a\\\n" * 100_001, Limits())
