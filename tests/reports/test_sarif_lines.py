"""The marks of lines are those that upload-sarif computes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlgate.core.facts import Location
from mlgate.reports._sarif_lines import Lines, marks

FUZZ = settings(max_examples=200, deadline=None, database=None, derandomize=True)
HELLO = " hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End\n"


def rolled(text):
    """The rolling hash, character by character, as the action's own text describes it."""
    size, base, mask = 100, 37, (1 << 64) - 1
    window, numbers = [0] * size, [-1] * size
    state = {"hash": 0, "at": 0, "line": 0, "start": True, "cr": False}
    first, counts, found = pow(base, size, 1 << 64), {}, []

    def tell():
        digest = f"{state['hash']:x}"
        counts[digest] = counts.get(digest, 0) + 1
        found.append((numbers[state["at"]], f"{digest}:{counts[digest]}"))
        numbers[state["at"]] = -1

    def update(code):
        gone, window[state["at"]] = window[state["at"]], code
        state["hash"] = (base * state["hash"] + code - first * gone) & mask
        state["at"] = (state["at"] + 1) % size

    def process(code):
        if code in (0x20, 0x09) or (state["cr"] and code == 0x0A):
            state["cr"] = False
            return
        state["cr"] = code == 0x0D
        code = 0x0A if code == 0x0D else code
        if numbers[state["at"]] != -1:
            tell()
        if state["start"]:
            state["start"] = False
            state["line"] += 1
            numbers[state["at"]] = state["line"]
        state["start"] = code == 0x0A
        update(code)

    data = text.encode("utf-16-le", "surrogatepass")
    for low, high in zip(data[::2], data[1::2], strict=True):
        process(low | high << 8)
    process(0xFFFF)
    for _ in range(size):
        if numbers[state["at"]] != -1:
            tell()
        update(0)
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["c129715d7a2bc9a3:1"]),
        (" a\nb\n  \t\tc\n d", ["271789c17abda88f:1", "54703d4cd895b18:1", "180aee12dab6264:1", "a23a3dc5e078b07b:1"]),
        (HELLO[:-1], ["8b7cf3e952e7aeb2:1", "b1ae1287ec4718d9:1", "bff680108adb0fcc:1", "c6805c5e1288b612:1", "b86d3392aea1be30:1", "e6ceba753e1a442:1"]),
    ],
)  # fmt: skip
def test_the_marks_are_the_published_ones(text, expected):
    assert [mark for _, mark in marks(text)] == expected


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_line_ends_and_blanks_change_nothing(end):
    text = HELLO.replace("\n", end).replace(" ", "\t ")
    assert list(marks(text)) == list(marks(HELLO))


@FUZZ
@given(st.text(alphabet=st.sampled_from("ab \t\r\n\u00e4\U0001f600"), max_size=300) | st.text(max_size=50))
def test_the_marks_are_those_of_the_rolling_hash(text):
    assert list(marks(text)) == rolled(text)


def test_lines_that_are_alike_are_numbered():
    found = [mark for _, mark in marks("same\n" * 300)]
    assert found[0].rpartition(":")[0] == found[1].rpartition(":")[0]
    assert [mark.rpartition(":")[2] for mark in found[:3]] == ["1", "2", "3"]
    assert found == [mark for _, mark in rolled("same\n" * 300)]


def test_a_line_inserted_above_does_not_change_a_mark(tmp_path):
    def mark(text, line):
        (tmp_path / "policy.yaml").write_text(text)
        return Lines(str(tmp_path)).mark(Location("policy.yaml", line=line))

    assert mark("version: 1\nfail_on: low\n", 2) == mark("version: 1\n# new\nfail_on: low\n", 3)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("gone.txt", 1),
        ("link.txt", 1),
        ("../outside.txt", 1),
        ("latin.txt", 1),
        ("a.txt", 99),
        ("", 1),
        ("\0", 1),
    ],
)
def test_what_has_no_such_line_has_no_mark(path, line, tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "outside.txt").write_text("x")
    (root / "a.txt").write_text("one\n")
    (root / "latin.txt").write_bytes(b"\xe4")
    (root / "link.txt").symlink_to("a.txt")
    assert Lines(str(root)).mark(Location(path, line=line)) is None


def test_a_text_that_is_too_large_is_left_to_the_uploader(tmp_path):
    (tmp_path / "long.txt").write_text("x\n" * 30_000)
    (tmp_path / "wide.txt").write_text("x" * (3 << 20))
    lines = Lines(str(tmp_path))
    assert lines.mark(Location("long.txt", line=1)) is None
    assert lines.mark(Location("wide.txt", line=1)) is None
