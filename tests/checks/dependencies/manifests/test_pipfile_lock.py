import contextlib
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlgate.checks.dependencies.manifest import Reading, Unreadable
from mlgate.checks.dependencies.manifests import _json, pipfile_lock
from mlgate.core.limits import DEFAULT, Limits

DOCUMENT = {
    "_meta": {"hash": {"sha256": "0"}, "pipfile-spec": 6, "requires": {}, "sources": [{"name": "pypi"}]},
    "default": {
        "Torch": {"hashes": ["sha256:1", "sha256:2"], "markers": "os_name == 'posix'", "version": "==2.1.0"},
        "anything": {"version": "*"},
        "tool": {"git": "https://github.com/x/tool.git", "ref": "abc"},
        "blob": {"file": "https://example.org/blob.whl"},
        "near": {"file": "./near.whl"},
        "own": {"editable": True, "path": "."},
    },
    "develop": {"pytest": {"version": "==8.0.0"}},
    "docs": {"sphinx": {"version": "===7.0"}},
}
LOCK = json.dumps(DOCUMENT, indent=4)


def read(text, limits=DEFAULT):
    return pipfile_lock.read(text if isinstance(text, bytes) else text.encode(), limits)


def with_entry(entry):
    return json.dumps({"_meta": {"pipfile-spec": 6}, "default": {"a": entry, "b": {"version": "==1"}}})


def test_reads_every_category_and_source_with_its_line():
    lines = LOCK.split("\n")
    seen = [(each.name, each.kind, each.version, each.condition) for each in read(LOCK).requirements]
    assert seen == [
        ("torch", "pinned", "2.1.0", "os_name == 'posix'"),
        ("anything", "unpinned", None, None),
        ("tool", "vcs-requirement", None, None),
        ("blob", "url-requirement", None, None),
        ("near", "local-requirement", None, None),
        ("own", "local-requirement", None, None),
        ("pytest", "pinned", "8.0.0", "group develop"),
        ("sphinx", "pinned", "7.0", "group docs"),
    ]
    torch, _, tool, *_, sphinx = read(LOCK).requirements
    assert '"==2.1.0"' in lines[torch.line - 1]
    assert '"tool"' in lines[tool.line - 1]
    assert '"===7.0"' in lines[sphinx.line - 1]
    assert torch.hashed
    assert not sphinx.hashed


def test_a_lock_on_one_line_has_that_line():
    assert {each.line for each in read(json.dumps(DOCUMENT)).requirements} == {1}


def test_a_name_that_needs_escapes_has_its_line():
    assert _json.key_lines('{"a": {\n"\\u0062\\"": [{"x": {}}, 1],\n"c": {"d": 1}}}', 2) == {
        ("a",): 1,
        ("a", 'b"'): 2,
        ("a", "c"): 3,
    }


@pytest.mark.parametrize("spec", [5, 7, "6", None])
def test_an_unknown_format_is_not_guessed(spec):
    with pytest.raises(Unreadable) as caught:
        read(json.dumps(DOCUMENT | {"_meta": {"pipfile-spec": spec}}, indent=4))
    assert (caught.value.reason, caught.value.line) == ("future-lock-version", 3)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", LOCK[:-1], LOCK[:300], b"\xff\xfe", "[" * 100_000, "9" * 10_000]
)
def test_what_is_no_lock_is_refused(text):
    with pytest.raises(Unreadable) as caught:
        read(text)
    assert caught.value.reason == "unparseable"


@pytest.mark.parametrize("entry", [3, [], {"version": "1.0"}, {"version": 1}, {"version": "==" + "1" * 9000}])
def test_an_entry_that_cannot_be_read_is_a_problem_and_the_rest_stands(entry):
    seen = read(with_entry(entry))
    assert [each.name for each in seen.requirements] == ["b"]
    assert [problem.reason for problem in seen.problems] == ["unparseable"]


def test_a_category_that_is_no_object_is_a_problem():
    assert [problem.reason for problem in read('{"_meta": {"pipfile-spec": 6}, "default": []}').problems] == [
        "unparseable"
    ]


def test_too_many_packages_are_said():
    assert [problem.reason for problem in read(LOCK, Limits(requirements=2)).problems] == ["limit"]


@settings(
    max_examples=80, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(
    st.binary(max_size=100)
    | st.integers(0, len(LOCK)).map(lambda cut: LOCK[:cut].encode())
    | st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
        max_leaves=8,
    ).map(lambda entry: with_entry(entry).encode())
)
def test_whatever_the_bytes_it_answers(data):
    with contextlib.suppress(Unreadable):
        assert isinstance(read(data), Reading)


@settings(max_examples=60, deadline=None, database=None, derandomize=True)
@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=10,
    )
)
def test_the_lines_of_keys_are_where_the_keys_are(value):
    document = {"top": value}
    found = _json.key_lines(json.dumps(document, indent=1), 3)

    def paths(node, path):
        if isinstance(node, dict) and len(path) < 3:
            for key, below in node.items():
                yield (*path, key)
                yield from paths(below, (*path, key))

    assert set(found) == set(paths(document, ()))
