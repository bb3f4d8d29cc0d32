import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlgate.checks.dependencies.manifests._shell import commands


def words(script, **known):
    return [[word.text for word in command.words] for command in commands(script, known)]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("", []),
        ("a b", [["a", "b"]]),
        ("a 'b c' \"d e\"f", [["a", "b c", "d ef"]]),
        ("a && b || c; d & e | f", [["a"], ["b"], ["c"], ["d"], ["e"], ["f"]]),
        ("a \\\n  b", [["a", "b"]]),
        ("a\\\nb", [["ab"]]),
        ("a # b\nc", [["a"], ["c"]]),
        ("a#b", [["a#b"]]),
        ("(a; b)", [["a"], ["b"]]),
        ("a > b c 2>&1 d <e", [["a", "c", "d"]]),
        ("a>=2", [["a"]]),
        ("'a>=2'", [["a>=2"]]),
        ("a \\> b", [["a", ">", "b"]]),
        ("'a", [["a"]]),
        ('"a', [["a"]]),
        ("a ''", [["a", ""]]),
        ("a $X ${X} \"$X\" '$X'", [["a", "1", "1", "1", "$X"]]),
        ("a ${Y:-2} ${Y-3} ${X:-4}", [["a", "2", "3", "1"]]),
        ("a $MANY b", [["a", "x", "y", "b"]]),
        ('a "$MANY"', [["a", "x y"]]),
        ("a p$MANY", [["a", "px", "y"]]),
        ("V=7 && a $V", [["V=7"], ["a", "7"]]),
        ("export V=7; a ==$V", [["export", "V=7"], ["a", "==7"]]),
        ("a $", [["a", "$"]]),
    ],
)
def test_words_are_those_of_a_shell(script, expected):
    assert words(script, X="1", MANY="x y") == expected


@pytest.mark.parametrize(
    "word", ["$Y", "${Y}", "$(a b)", "`a b`", '"$Y"', "${X%1}", "${Y:-$Z}", "x$(a $(b) c)y", "${Y", "$(a"]
)
def test_what_only_a_run_could_tell_is_open(word):
    ((_, found),) = [command.words for command in commands(f"a {word}", {"X": "1"})]
    assert found.open


def test_words_know_their_lines():
    script = "a \\\n b \\\n 'c\nd' e\nf"
    assert [(word.text, word.line) for command in commands(script, {}) for word in command.words] == [
        ("a", 0),
        ("b", 1),
        ("c\nd", 2),
        ("e", 3),
        ("f", 4),
    ]


def test_values_do_not_explode():
    script = "A=xxxxxxxxxxxxxxxx\n" + "A=$A$A$A$A$A$A$A$A\n" * 40 + "b " + "$A" * 100_000
    assert sum(len(word.text) for command in commands(script, {}) for word in command.words) < 2 << 20


@settings(
    max_examples=150, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(st.text(alphabet="ab \t\n\\'\"$`(){}<>|&;#=-~X12", max_size=60))
def test_any_text_is_read_to_its_end(script):
    for command in commands(script, {"X": "1 2"}):
        assert command.words
        assert all(0 <= word.line <= script.count("\n") for word in command.words)
