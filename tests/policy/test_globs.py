import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlgate.policy.globs import compile_globs


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("models/**", "models/a.pkl", True),
        ("models/**", "models/deep/er/a.pkl", True),
        ("models/**", "other/models/a.pkl", False),
        ("models/", "models/a/b", True),
        ("**", "a", True),
        ("**", "a/b/c", True),
        ("**/*.pkl", "a.pkl", True),
        ("**/*.pkl", "a/b/c.pkl", True),
        ("*.pkl", "a/b.pkl", False),
        ("*.pkl", "a.pkl", True),
        ("a?.pkl", "ab.pkl", True),
        ("a?b", "a/b", False),
        ("[ab].pkl", "b.pkl", True),
        ("[!ab].pkl", "b.pkl", False),
        ("[!ab].pkl", "c.pkl", True),
        ("a[!x]b", "a/b", False),
        ("[]]", "]", True),
        ("a.pkl", "axpkl", False),
        ("./a", "a", True),
        ("a/**/b", "a/b", True),
        ("a/**/b", "a/x/y/b", True),
        ("a/**/b", "ab", False),
        ("a\nb", "a\nb", True),
    ],
)
def test_globs(pattern, path, matches):
    assert compile_globs([pattern])(path) is matches


def test_any_of_several_matches():
    accepts = compile_globs(["a", "b"])
    assert accepts("a")
    assert accepts("b")
    assert not accepts("c")


@pytest.mark.parametrize("pattern", ["", "/etc/passwd", "a\\b", "../x", "[a", "[z-a]"])
def test_a_bad_glob_is_refused(pattern):
    with pytest.raises(ValueError, match="bad glob"):
        compile_globs([pattern])


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.text("ab*?[]!^-/.\\|&~{", max_size=12), st.text("ab/.-]", max_size=12))
def test_no_pattern_breaks_the_matcher(pattern, path):
    with contextlib.suppress(ValueError):
        compile_globs([pattern])(path)


def matched(pattern, path):
    """Match as the docstring says, by trying everything; for short texts."""
    if not pattern:
        return not path
    head, *rest = pattern
    if head == "**":
        return (not rest and bool(path)) or any(
            matched(rest, path[at:]) for at in range(len(path) + (0 if not rest else 1))
        )
    return bool(path) and named(head, path[0]) and matched(rest, path[1:])


def named(pattern, name):
    if not pattern:
        return not name
    if pattern[0] == "*":
        return any(named(pattern[1:], name[at:]) for at in range(len(name) + 1))
    return bool(name) and pattern[0] in ("?", name[0]) and named(pattern[1:], name[1:])


PARTS = st.lists(st.text("ab?*", min_size=1, max_size=5) | st.just("**"), min_size=1, max_size=5)
NAMES = st.lists(st.text("ab", min_size=1, max_size=4), min_size=1, max_size=5)


@settings(max_examples=500, deadline=None, derandomize=True, database=None)
@given(PARTS, NAMES)
def test_a_glob_matches_what_trying_everything_does(parts, path):
    assert compile_globs(["/".join(parts)])("/".join(path)) is matched(parts, path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*a" * 200 + "b", "a" * 250),
        ("**/a/" * 90 + "b", "a/" * 2000 + "c"),
        ("**/*a*/" * 60 + "b", "aa/" * 1000 + "c"),
        ("**/" * 150 + "b", "a/" * 2000 + "c"),
        ("?*" * 200 + "b", "a" * 250),
        ("[a]*" * 100 + "b", "a" * 250),
    ],
)
def test_a_hostile_glob_does_not_try_everything(pattern, path):
    assert not compile_globs([pattern])(path)
