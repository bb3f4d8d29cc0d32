"""The page as a standard asks for it: parsed by the standard's rules, readable, usable without a mouse."""

import re
from importlib.resources import files

import pytest
from tests.reports.sample import FULL, REPORTS
from tinyhtml5.parser import HTMLParser

from mlgate import reports
from mlgate.reports import Style

STYLE = "".join(
    (files("mlgate.reports") / "templates" / name).read_text() for name in ("report.css", "figures.css")
)
LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})", block))
    for block in re.findall(r":root \{(.*?)\n\s*\}", STYLE, re.DOTALL)[:2]
)
TONES = ("pass", "fail", "undecided", "masked", "info", "critical", "high", "medium", "low")
NAMESPACE = "{http://www.w3.org/1999/xhtml}"


@pytest.fixture(scope="module", params=list(REPORTS))
def page(request):
    parser = HTMLParser()
    tree = parser.parse(reports.load("html").render(REPORTS[request.param], Style()))
    return parser, tree


def local(element):
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def named(tree, *names):
    return [element for element in tree.iter() if local(element) in names]


def words(element):
    return " ".join("".join(element.itertext()).split())


def test_the_page_is_html_without_an_error(page):
    parser, _ = page
    assert parser.errors == []


def test_there_is_one_of_each_landmark_and_of_the_first_heading(page):
    _, tree = page
    for name in ("main", "nav", "footer", "h1", "title"):
        assert len(list(tree.iter(f"{NAMESPACE}{name}"))) == 1, name
    assert next(iter(tree.iter(f"{NAMESPACE}html"))).get("lang") == "en"


def test_headings_skip_no_level(page):
    _, tree = page
    levels = [int(local(element)[1]) for element in named(tree, "h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:], strict=False))


def test_every_table_has_headers_with_a_scope_and_a_name(page):
    _, tree = page
    for table in named(tree, "table"):
        heads = [element for element in table.iter() if local(element) == "th"]
        assert heads
        assert all(head.get("scope") in {"row", "col"} for head in heads)
        assert all(words(head) for head in heads)


def test_every_section_and_region_is_named(page):
    _, tree = page
    ids = {element.get("id"): words(element) for element in tree.iter() if element.get("id")}
    for element in tree.iter():
        if local(element) in {"section", "nav"} or element.get("role") == "region":
            label = element.get("aria-label") or ids.get(element.get("aria-labelledby"))
            assert label or (local(element) == "section" and "file" in element.get("class", ""))


def test_what_scrolls_can_be_reached_and_nothing_reorders_the_focus(page):
    _, tree = page
    for element in tree.iter():
        classes = (element.get("class") or "").split()
        if local(element) == "pre" or "scroll" in classes:
            assert element.get("tabindex") == "0"
        assert element.get("tabindex") in {None, "0"}


def test_every_drawing_has_words_or_is_hidden_from_those_who_listen(page):
    _, tree = page
    for element in named(tree, "svg"):
        if element.get("aria-hidden") == "true":
            continue
        assert element.get("role") == "img"
        assert element.get("aria-label")
        assert [child for child in element if local(child) == "title"][0].text == element.get("aria-label")


def test_every_control_has_a_label_and_every_summary_and_link_words(page):
    _, tree = page
    for element in named(tree, "summary", "a", "label", "legend"):
        assert words(element)
    inputs = named(tree, "input")
    within = [inner for label in named(tree, "label") for inner in label.iter() if local(inner) == "input"]
    assert len(inputs) == len(within)


def test_the_page_works_without_script_network_and_other_files(page):
    _, tree = page
    assert not named(tree, "script", "link", "iframe", "object", "embed", "img", "base", "form")
    for element in tree.iter():
        for name, value in element.attrib.items():
            assert not name.startswith("on")
            if name == "href":
                assert local(element) == "a"
                assert value.startswith(("#", "https://"))
    assert "url(" not in STYLE
    assert "@import" not in STYLE


def luminance(colour):
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    """WCAG 2.2, 1.4.3."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    "ground", ["page", "card", "code", "pass-bg", "fail-bg", "undecided-bg", "masked-bg"]
)
@pytest.mark.parametrize("ink", ["ink", "soft", "link"])
def test_text_can_be_read_on_every_ground(theme, ground, ink):
    assert contrast(theme[ink], theme[ground]) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("tone", TONES)
def test_chips_can_be_read_outlined_and_filled(theme, tone):
    assert contrast(theme[tone], theme["card"]) >= 4.5  # either way round
    own = theme.get(f"{tone}-bg", theme["card"])
    assert contrast(theme[tone], own) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("mark", ["soft", "pass", "fail", "undecided", "masked", "low", "ink"])
def test_marks_in_charts_can_be_seen(theme, mark):
    """WCAG 2.2, 1.4.11: graphical objects."""
    assert contrast(theme[mark], theme["card"]) >= 3


def test_the_focus_can_be_seen_and_print_and_dark_have_their_rules():
    assert ":focus-visible" in STYLE
    assert "@media print" in STYLE
    assert "prefers-color-scheme: dark" in STYLE
    assert "prefers-reduced-motion" in STYLE


def test_the_style_sheet_is_in_the_page(render):
    assert STYLE.strip()[:60] in render("html", FULL)
