"""Texts and numbers that somebody wrote to break a report: every format still reads as itself."""

import csv
import io
import json
import math
import re
from xml.etree import ElementTree as ET

import pytest
from markdown_it import MarkdownIt
from msgspec.structs import replace
from tests.reports.sample import FULL, PROBLEMS
from tests.reports.test_formats import FORMATS, READERS
from tests.reports.test_runners import everywhere
from tinyhtml5.parser import HTMLParser

from mlgate.core.facts import Measurement

TEXTS = {
    "ansi": "\x1b[2J\x1b]0;owned\x07\x9b31m",
    "bidi": "a\u202eb\u2066c\u200bd\ufeff",
    "lines": "one\ntwo\r\nthree\u2028four\x85five\vsix",
    "cdata": "]]><x/><![CDATA[ <!-- --> <?x ?> &amp; &#0; </failure>",
    "formula": "=cmd|' /C calc'!A0",
    "markdown": "| a | b |\n|---|---|\n``` [x](javascript:1) ![i](https://evil.test/i.png) @team #1 </details>",
    "html": "</style></script><script>alert(1)</script><svg onload=alert(1)>\"'`{{7*7}}{%x%}",
    "runner": "::set-output name=x::y\n##[error]x\n::stop-commands::z",
    "rich": "[bold red]x[/] [link=file:///etc/passwd]y[/link] :boom:",
    "surrogate": "\ud800\udfff\udcff",
    "nothing": "",
    "blank": " \t ",
    "deep": "/" * 3_000,
}
NUMBERS = [None, math.nan, math.inf, -math.inf, 0.0, -0.0, 1e308, 5e-324, -1.0, 10**400, 10**5000]


def _csv(text):
    assert {len(row) for row in csv.reader(io.StringIO(text), strict=True)} == {20}


def _html(text):
    parser = HTMLParser()
    parser.parse(text)
    assert parser.errors == []


def _markdown(text):
    page = MarkdownIt("gfm-like", {"linkify": False, "html": True}).render(text)
    tags = set(re.findall(r"<(\w+)", page))
    assert tags <= {"h2", "h3", "p", "strong", "em", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "code", "pre", "details", "summary", "br", "sub"}  # fmt: skip


PARSERS = {
    "csv": _csv,
    "gitlab": json.loads,
    "html": _html,
    "json": json.loads,
    "junit": ET.fromstring,
    "markdown": _markdown,
    "sarif": json.loads,
    "terminal": str,
}


def check(name, text):
    PARSERS[name](text)
    assert [mark for mark in PROBLEMS if mark in text] == []
    text.encode()
    if name in READERS:
        assert READERS[name](text) == "fail"


def test_every_format_has_a_parser_here():
    assert set(PARSERS) == set(FORMATS)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("name", FORMATS)
def test_a_text_in_every_place_leaves_the_report_whole(name, text, render):
    for style in ({}, {"verbose": True}):
        check(name, render(name, everywhere(text), **style))


@pytest.mark.parametrize("name", FORMATS)
def test_a_megabyte_of_evidence_leaves_the_report_whole(name, render):
    big = replace(FULL.findings[0], evidence="A\x1b[31m\n" * 120_000, fix="`" * 1_000_000)
    check(name, render(name, replace(FULL, findings=(big,))))


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: str(number)[:8] if number is None or isinstance(number, float) else "huge")  # fmt: skip
@pytest.mark.parametrize("name", FORMATS)
def test_any_number_leaves_the_report_whole(name, number, render):
    nested = current = {}
    for _ in range(200):
        current["x"] = current = {}
    detail = {
        "epsilon": number,
        "norm": number,
        "certificate": {"low": number},
        "masking": [{"signal": number, "raised": True}, number],
        "looks": [[1, number, number, number], [2, number, number, number]],
        "attacks": {"x": {"broken": number}},
        "nested": nested,
    }
    parts = ("", "a/1", "a/2", "epsilon=1e999")
    figures = tuple(
        Measurement(
            "a", "b", number, number, number, 1, number, outcome, detail, family="robustness", part=part
        )
        for part in parts
        for outcome in ("pass", "masked", "inconclusive", "")
    )
    check(name, render(name, replace(FULL, measurements=figures)))
