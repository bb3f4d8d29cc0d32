import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from msgspec.structs import replace
from tests.reports.sample import CLEAN, FULL, MARKUP, crowd, finding

from mlgate.core.facts import Check, Location, NotChecked
from mlgate.core.report import Unjudged
from mlgate.reports import Style, markdown
from mlgate.reports._markdown_text import code, fenced, plain, table

GITHUB = MarkdownIt("gfm-like", {"linkify": False, "html": True})
ALPHABET = st.sampled_from(
    list("`|\\*_[]()<>#@!~$&:/-+ .\nwG1aH") + ["www", "https://", "<b>", "```", "\u202e", "\x1b"]
)
HOSTILE = st.lists(ALPHABET, max_size=30).map("".join)
FUZZ = settings(max_examples=200, deadline=None, database=None, derandomize=True)


class _Words(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.text = [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.text += data


def _read(source):
    words = _Words()
    words.feed(GITHUB.render(source))
    words.close()
    return words


@FUZZ
@given(HOSTILE)
def test_plain_text_in_a_table_is_one_cell_of_text(raw):
    words = _read(table(["a", "b"], [(plain(raw), "end")]))
    assert words.tags == ["table", "thead", "tr", "th", "th", "tbody", "tr", "td", "td"]
    assert words.text.split()[-1] == "end"


@FUZZ
@given(HOSTILE)
def test_code_in_a_table_is_one_cell_of_code(raw):
    words = _read(table(["a", "b"], [(code(raw) or "none", "end")]))
    assert [tag for tag in words.tags if tag != "code"] == [
        "table",
        "thead",
        "tr",
        "th",
        "th",
        "tbody",
        "tr",
        "td",
        "td",
    ]
    assert words.text.split()[-1] == "end"


@FUZZ
@given(st.lists(HOSTILE.map(lambda line: line.replace("\n", " ")), min_size=1, max_size=5))
def test_no_line_ends_its_code_block(lines):
    words = _read(f"{fenced(lines)}\n\nend")
    assert words.tags == ["pre", "code", "p"]


@pytest.mark.parametrize(
    "raw", ["@octocat", "#12", "GH-12", "https://evil.test", "www.evil.test", "a@b.test"]
)
def test_nothing_notifies_or_links(raw):
    assert raw not in _read(plain(raw)).text
    assert _read(plain(raw)).text.replace("\u200b", "").strip() == raw


def test_the_sample_has_no_markup_of_the_attacker(render):
    text = render("markdown", FULL, verbose=True)
    tags = set(_read(text).tags)
    assert not tags & {"script", "img", "a", "b"}
    assert "<script" not in re.sub(r"(`{3,})text\n.*?\n\1|(`+)[^`].*?\2", "", text, flags=re.DOTALL)


def test_a_hostile_fix_is_text(render):
    text = render(
        "markdown", replace(FULL, findings=(finding(fix=f"# big\n\n{MARKUP}\n\n<img src=x>\n\n- [a](b)"),))
    )
    tags = _read(text).tags
    assert "h1" not in tags
    assert "a" not in tags
    assert "img" not in tags


@pytest.mark.parametrize("style", [Style(), Style(verbose=True), Style(quiet=True)])
def test_a_crowd_stays_within_a_comment_worst_first_and_counted(style):
    text = markdown.render(crowd(26_000), style)
    assert len(text.encode()) <= 65_536
    assert re.search(r"\*\*[\d,]+ more findings?\*\*", text)
    assert text.index("MLG-PKL-002") < text.find("more finding")


def test_evidence_that_fills_a_comment_is_cut(render):
    big = tuple(finding(evidence=("x" * 200 + "\n") * 50, subject=str(n)) for n in range(200))
    text = render("markdown", replace(FULL, findings=big))
    assert len(text.encode()) <= 65_536
    assert "more findings**" in text


def test_many_waivers_and_gaps_do_not_push_the_findings_out(render):
    report = crowd(26_000)
    flood = replace(report, waivers=tuple(replace(one, reason="r" * 2_000) for one in report.waivers * 100))
    text = render("markdown", flood, verbose=True)
    assert len(text.encode()) <= 65_536
    assert "MLG-PKL-002" in text


def test_details_fold_the_evidence(render):
    words = _read(render("markdown", FULL))
    assert words.tags.count("details") == words.tags.count("summary") > 0
    assert "_var0 = system('echo hello')" in words.text


def test_quiet_leaves_out_what_does_not_decide(render):
    text = render("markdown", FULL, quiet=True)
    assert "MLG-PKL-006" not in text
    assert "Measurements" not in text


def test_verbose_adds_inventory_and_packages(render):
    text = render("markdown", FULL, verbose=True)
    assert "4 models" in text
    assert "5 packages" in text


def test_a_clean_report_is_short(render):
    text = render("markdown", CLEAN)
    assert "## ✅ mlgate: PASS" in text
    assert "### Findings" not in text


def test_each_message_of_what_was_not_checked_is_told(render):
    gaps = [
        Unjudged(NotChecked(Check.MODELS, "limit", Location(f"{number}.pkl"), f"message {number % 3}"))
        for number in range(9)
    ]
    shown = render("markdown", replace(FULL, not_checked=tuple(gaps)))
    assert [shown.count(f"| message {number} |") for number in range(3)] == [1, 1, 1]


def _measured():
    text = markdown.render(FULL, Style())
    return text.partition("### Measurements\n")[2].partition("<details><summary>3 waivers")[0]


def test_measurements_stand_worst_first_with_their_parts_and_notes():
    rows = [line.split(" | ") for line in _measured().split("\n") if line.startswith("| ")][2:]
    outcomes = [row[6] for row in rows[:12]]
    assert outcomes == ["**fail**"] * 6 + ["**masked**"] + ["**inconclusive**"] * 4 + ["pass"]
    assert "share of zero gradients" in rows[6][7]
    assert rows[1][:2] == ["| faces: subgroups", "accuracy, age=18-30"]


def test_what_passes_is_folded_where_it_is_much():
    first, _, rest = _measured().partition("<details><summary>12 more figures")
    assert "brightness/1" not in first.replace("\\", "")
    assert "brightness/1" in rest.replace("\\", "")
