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
