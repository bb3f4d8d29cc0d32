import importlib.resources
import re
from html.parser import HTMLParser

import pytest
from msgspec.structs import replace
from tests.reports.sample import CLEAN, FULL, MARKUP, REPORTS, RULES, crowd, finding

from mlgate.core.facts import Location

VOID = {"meta", "input", "br", "hr", "img", "link"}
LOADS = {
    "src",
    "srcset",
    "data",
    "poster",
    "action",
    "formaction",
    "background",
    "manifest",
    "ping",
    "xlink:href",
}


class _Page(HTMLParser):
    """Parse, insist that elements nest, and remember what matters."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.text, self.ids = [], [], [], "", []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("report", list(REPORTS))
@pytest.mark.parametrize("style", [{}, {"quiet": True}], ids=["usual", "quiet"])
def test_the_page_is_well_formed_and_its_ids_are_unique(report, style, render):
    page = _Page(render("html", REPORTS[report], **style))
    assert len(page.ids) == len(set(page.ids))
    targets = {value[1:] for _, name, value in page.attributes if name == "href" and value.startswith("#")}
    assert targets <= set(page.ids)


@pytest.mark.parametrize("report", list(REPORTS))
def test_the_page_loads_and_runs_nothing(report, render):
    text = render("html", REPORTS[report])
    page = _Page(text)
    assert not {"script", "img", "link", "iframe", "object", "embed", "base", "form"} & set(page.tags)
    assert [
        one for one in page.attributes if one[1] in LOADS or one[1].startswith("on") or one[1] == "style"
    ] == []
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]
    assert "url(" not in style
    assert "@import" not in style
    policies = [value for tag, name, value in page.attributes if (tag, name) == ("meta", "content")]
    assert any(
        value.startswith("default-src 'none'; style-src 'unsafe-inline'; base-uri") for value in policies
    )


def test_links_go_to_references_alone_and_only_by_https(render):
    page = _Page(render("html", FULL))
    links = {value for tag, name, value in page.attributes if tag == "a" and name == "href"}
    known = {one for rule in RULES for one in rule.references}
    assert {link for link in links if not link.startswith("#")} == {
        one for one in known if one.startswith("https://")
    }


def test_a_reference_with_another_scheme_is_no_link(render):
    odd = replace(RULES[0], references=("javascript:alert(1)", "http://plain.test"))
    page = _Page(render("html", replace(FULL, rules=(odd,))))
    assert "javascript:alert(1)" in page.text
    assert not [one for one in page.attributes if one[1] == "href" and "javascript" in one[2]]


def test_hostile_markup_is_shown_as_text(render):
    text = render("html", FULL)
    assert "<script" not in text
    assert "<img" not in text
    assert "<script>alert(1)</script>" in _Page(text).text
    assert MARKUP.split("`", maxsplit=1)[0] in _Page(text).text


@pytest.mark.parametrize(
    "breakout", ['"><svg onload=alert(1)>', "' onmouseover='x", "</style><b>", "{{ 7*7 }}{% raw %}"]
)
def test_no_name_breaks_out_of_its_place(breakout, render):
    bad = finding(
        location=Location(path=breakout, member=breakout, offset=1),
        subject=breakout,
        message=breakout,
        fix=f"{breakout} `{breakout}`\n\n```\n{breakout}\n```",
        evidence=breakout,
        advisory=breakout,
        aliases=(breakout,),
    )
    measured = tuple(
        replace(one, assessment=breakout, name=breakout, outcome=breakout) for one in FULL.measurements
    )
    text = render("html", replace(FULL, findings=(bad,), measurements=measured, scope=breakout))
    page = _Page(text)
    assert page.tags.count("style") == 1
    assert not [one for one in page.attributes if one[1].startswith("on")]
    assert breakout in page.text


def test_the_page_holds_everything_a_reviewer_asks_for(render):
    words = _Page(render("html", FULL)).text
    for expected in (
        "4 findings block (3 critical, 1 high)",
        "At least one finding reaches",
        "1: must not merge",
        "_var0 = system('echo hello')",
        "save_file(model.state_dict(), 'model.safetensors')",
        "Loading the file runs the call",
        "CWE-502",
        "models/digits.onnx",
        "too large to hash",
        "2027-01-31",
        "expired",
        "unused",
        "lfs-pointer",
        "not pinned",
        "1,204 advisories",
        "5a" * 32,
        "mlgate 1.2.3, Python 3.11.9",
        "onnxruntime 1.20.1",
        "Waived until 2027-01-31, because the vulnerable function is not called",
        "381 days left",
        "15 days ago",
        "known: in the baseline",
        "no longer occur",
        "Since 2026-01-10 08:00:00 UTC: 2 more findings that block",
        "this run",
    ):
        assert expected in words, expected


def test_measurements_have_bars_and_the_confidence_sequence_a_plot(render):
    text = render("html", FULL)
    assert text.count('<svg class="chart bar') == sum(one.value is not None for one in FULL.measurements)
    assert text.count('<svg class="chart plot') == 1
    assert "threshold 0.600" in text


def test_curves_and_severities_are_drawn_where_there_are_any(render):
    text = render("html", FULL)
    assert text.count('<svg class="chart curve"') == 2
    assert text.count('<svg class="chart small"') == 3
    clean = render("html", CLEAN)
    assert '<svg class="chart curve"' not in clean
    assert '<svg class="chart small"' not in clean


def test_what_shows_nothing_does_not_look_like_a_pass(render):
    text = render("html", FULL)
    rows = re.findall(r'<tr class="(\w+)">.*?</tr>', text, re.DOTALL)
    assert {"pass", "fail", "inconclusive", "masked", "info"} <= set(rows)
    masked = re.search(r'<tr class="masked">.*?</tr>', text, re.DOTALL).group()
    assert 'class="cross"' in masked
    assert "signal: share of zero gradients, 0.97 (limit 0.5)" in masked
    assert "stopped because the budget of 120 s was spent" in text


def test_every_key_of_a_measurement_is_on_the_page(render):
    words = _Page(render("html", FULL)).text
    for expected in (
        "upper bound (black-box)",
        "unconfirmed",
        "certified at least 0.780",
        "interval bounds",
        "onnxruntime",
        "2e" * 32,
        "412,345",
        "signals of masking",
        "landlock",
    ):
        assert expected in words, expected


def test_a_report_without_findings_says_so(render):
    assert "No finding." in _Page(render("html", CLEAN)).text


def test_quiet_leaves_out_what_does_not_decide(render):
    words = _Page(render("html", FULL, quiet=True)).text
    assert "MLG-PKL-006" not in words
    assert "How it was measured" not in words


def test_a_crowd_is_cut_and_counted(render):
    text = render("html", crowd(26_000))
    assert "25,000 more: the JSON report has them all." in text
    assert text.count('<article class="finding critical">') == 260
    assert len(text) < 6_000_000


def test_the_template_is_package_data():
    templates = importlib.resources.files("mlgate.reports") / "templates"
    assert (templates / "report.html.j2").is_file()
    assert (templates / "report.css").is_file()


def test_the_legend_has_the_marks_that_are_used(render):
    assert "certified: at least so good" in render("html", FULL)
    clean = render("html", CLEAN)
    assert "certified: at least so good" not in clean
    assert "masked: the attacks" not in clean
    assert "pass: reaches the threshold" in clean


def test_measurements_that_are_left_out_are_counted(render):
    many = tuple(
        replace(FULL.measurements[0], assessment=f"a{n // 100}", part=f"x={n}") for n in range(2_500)
    )
    text = render("html", replace(FULL, measurements=many))
    assert "500 more: the JSON report has them all." in text
    assert text.count('<tr class="pass">') == 2_000
