import re

import pytest
from msgspec.structs import replace
from rich.cells import cell_len
from tests.reports.sample import CLEAN, EMPTY, FINDINGS, FULL, REPORTS, UNDECIDED, crowd, finding

from mlgate.core.facts import Check, Location, NotChecked, Source
from mlgate.core.report import Unjudged


@pytest.mark.parametrize("report", list(REPORTS))
@pytest.mark.parametrize("width", [40, 57, 80, 120])
@pytest.mark.parametrize("verbose", [False, True])
def test_no_line_is_wider_than_the_terminal(report, width, verbose, render):
    text = render("terminal", REPORTS[report], width=width, verbose=verbose)
    assert max(map(cell_len, text.split("\n"))) <= width


def test_wide_characters_are_counted_as_two(render):
    wide = finding(message="模型" * 80, evidence="层" * 300, fix="修" * 200)
    text = render("terminal", replace(FULL, findings=(wide,)))
    assert max(map(cell_len, text.split("\n"))) <= 80


def test_a_narrower_terminal_than_can_be_used_gets_forty_columns(render):
    assert max(map(cell_len, render("terminal", FULL, width=5).split("\n"))) <= 40


@pytest.mark.parametrize("variable", ["FORCE_COLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE"])
def test_without_colour_there_is_no_escape_whatever_the_environment(variable, render, monkeypatch):
    monkeypatch.setenv(variable, "1")
    assert "\x1b" not in render("terminal", FULL, verbose=True)


def test_with_colour_the_words_are_the_same(render, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")  # the command line decides, not the renderer
    coloured = render("terminal", FULL, color=True)
    assert "\x1b[" in coloured
    bare = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert [line.rstrip() for line in bare.split("\n")] == render("terminal", FULL).split("\n")


def test_the_only_escapes_in_colour_are_colours(render):
    coloured = render("terminal", FULL, color=True, verbose=True)
    assert "\x1b" not in re.sub(r"\x1b\[[0-9;]*m", "", coloured)


def test_the_worst_file_comes_first_and_the_verdict_last(render):
    text = render("terminal", FULL)
    assert text.index("models/net.pkl") < text.index("requirements.txt") < text.index(".mlgate.yaml")
    assert text.rstrip().split("\n")[-1].strip() == "exit code 1: must not merge"
    assert "FAIL  4 findings block (3 critical, 1 high)" in text


def test_a_failing_report_says_what_to_do_next(render):
    assert "mlgate explain MLG-PKL-002" in render("terminal", FULL)


def test_a_clean_report_says_what_was_looked_at(render):
    assert "PASS  12 files, 1 model, 3 packages, 1 measurement checked\n" in render("terminal", CLEAN)


def test_a_pass_of_nothing_does_not_pretend(render):
    assert "PASS  0 files, 0 models checked" in render("terminal", EMPTY)


def test_a_pass_with_something_waived_says_so(render):
    waived = replace(CLEAN, findings=FINDINGS[4:5])
    assert "PASS  no finding blocks · 1 waived" in render("terminal", waived)


def test_an_undecided_report_says_what_was_not_checked(render):
    text = render("terminal", UNDECIDED)
    assert "lfs-pointer  1, makes the run undecided" in text
    assert "UNDECIDED  no finding blocks · 1 not checked" in text


def test_equal_items_are_collapsed_with_a_count(render):
    text = render("terminal", FULL)
    assert text.count("Git LFS pointer") == 1
    assert "… 3 more" in text
    assert "models/part-7.bin" in render("terminal", FULL, verbose=True)


def test_quiet_shows_only_what_decides(render):
    text = render("terminal", FULL, quiet=True)
    assert "MLG-PKL-002" in text
    assert "lfs-pointer" in text
    for left_out in ("MLG-PKL-006", "Measurements", "Waivers", "Sources", "tolerated", "waived until"):
        assert left_out not in text
    assert text.rstrip().split("\n")[-2].startswith("FAIL")


def test_quiet_and_clean_is_one_line(render):
    assert render("terminal", CLEAN, quiet=True).count("\n") == 1


def test_verbose_adds_inventory_and_packages(render):
    text = render("terminal", FULL, verbose=True)
    assert "Models\n" in text
    assert "Packages\n" in text
    assert "not pinned" in text
    assert "Models\n" not in render("terminal", FULL)


def test_an_expired_and_an_unused_waiver_are_said(render):
    text = render("terminal", FULL)
    assert "EXPIRED on 2025-12-31" in text
    assert "unused: nothing matches it" in text


def test_a_fix_is_not_repeated_within_a_file(render):
    twice = replace(FULL, findings=(FINDINGS[0], finding(subject="os.popen", evidence="x")))
    text = render("terminal", twice)
    assert text.count("save_file(model") == 1
    assert "→ as above" in text


def test_long_evidence_is_bounded(render):
    assert "… 86 more lines" in render("terminal", FULL)


def test_rich_markup_in_a_name_is_text(render):
    marked = replace(
        FULL, findings=(finding(message="[bold red]x[/] :boom: [link=https://evil.test]y[/link]"),)
    )
    text = render("terminal", marked, color=True)
    assert "[bold red]x[/] :boom: [link=https://evil.test]y[/link]" in re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert "\x1b]8" not in text


def test_a_crowd_is_cut_and_counted(render):
    text = render("terminal", crowd(26_000))
    assert "25,900 more findings" in text
    assert len(text.split("\n")) < 2_000
    assert "FAIL  260 findings block (260 critical) · 25,740 more below the threshold" in text


@pytest.mark.parametrize("width", [40, 80])
def test_no_message_loses_its_end(width, render):
    words = " ".join(f"word{number}" for number in range(120))
    gap = NotChecked(Check.MODELS, "limit", Location("a.pkl"), "")
    gaps = [Unjudged(replace(gap, message=f"{number} {words} end{number}.")) for number in range(20)]
    source = Source(Check.MODELS, "advisories", f"source {words} covers-nothing-else")
    report = replace(
        FULL,
        findings=(finding(message=f"finding {words} done"),),
        not_checked=tuple(gaps),
        sources=(source,),
    )
    shown = " ".join(render("terminal", report, width=width).split())
    assert "word119 done" in shown
    assert all(f"word119 end{number}." in shown for number in range(20))
    assert "word119 covers-nothing-else" in shown


def _measured(render, **style):
    text = render("terminal", FULL, **style)
    return text.partition("\nMeasurements\n")[2].partition("\nWaivers\n")[0]


def test_measurements_stand_worst_first_with_their_parts(render):
    text = _measured(render)
    assert re.search(r"age=18-30 +0\.840 \[0\.790, 0\.880\] ≥ 0\.900 +200 fail", text)
    order = [text.index(word) for word in ("faces: subgroups", "faces: robustness", "faces: poisoning")]
    assert order == sorted(order)
    assert "equalized odds" in text
    assert "≤ 0.100" in text


@pytest.mark.parametrize("width", [80, 120])
def test_the_tables_of_measurements_are_aligned(width, render):
    rows = [line for line in _measured(render, width=width).split("\n") if re.search(r" [≥≤] \d", line)]
    assert len({re.search("[≥≤]", row).start() for row in rows}) == 1


def test_what_passes_is_folded_where_it_is_much(render):
    assert "… 12 more pass or have no threshold: see --verbose" in _measured(render)
    assert "brightness/1" not in _measured(render)
    assert "brightness/1" in _measured(render, verbose=True)
    assert "more pass" not in _measured(render, verbose=True)


def test_why_a_figure_shows_nothing_is_said(render):
    text = " ".join(_measured(render).split())
    assert "epsilon=0.3: upper bound (black-box); signal: a black-box attack beats the white-box ones" in text
    assert "epsilon=0.15: upper bound (black-box); stopped because the budget of 120 s was spent" in text


@pytest.mark.parametrize("width", [40, 80])
@pytest.mark.parametrize("verbose", [False, True])
def test_no_line_of_a_crowd_is_wider_than_the_terminal(width, verbose, render):
    text = render("terminal", crowd(300), width=width, verbose=verbose)
    assert max(map(cell_len, text.split("\n"))) <= width


def test_figures_without_a_number_have_a_dash(render):
    odd = tuple(
        replace(one, value=float("nan"), low=None, high=float("inf")) for one in FULL.measurements[:3]
    )
    assert "nan" not in _measured(
        lambda name, _, **style: render(name, replace(FULL, measurements=odd), **style)
    )


def test_findings_that_say_the_same_in_one_file_are_folded_with_a_count(render):
    many = tuple(finding(location=Location("net.pkl", offset=n), nth=str(n)) for n in range(20))
    text = render("terminal", replace(FULL, findings=many))
    assert text.count("MLG-PKL-002 unsafe-global-called") == 3
    assert "… 17 more of MLG-PKL-002 in this file: see --verbose" in text
    verbose = render("terminal", replace(FULL, findings=many), verbose=True)
    assert verbose.count("MLG-PKL-002 unsafe-global-called") == 20


def test_findings_that_block_and_say_different_things_are_never_folded(render):
    many = tuple(finding(message=f"The pickle calls os.f{n}.", nth=str(n)) for n in range(20))
    text = render("terminal", replace(FULL, findings=many))
    assert all(f"os.f{n}." in text for n in range(20))


def test_what_is_left_out_is_counted_by_severity(render):
    text = " ".join(render("terminal", crowd(26_000)).split())
    assert "… 25,900 more findings (160 critical, 25,740 medium): see --verbose or --report json" in text


def test_a_long_fix_is_told_in_three_files_and_no_more(render):
    many = tuple(finding(location=Location(f"{n}.pkl", offset=1)) for n in range(9))
    text = render("terminal", replace(FULL, findings=many))
    assert text.count("save_file(model") == 3
    assert text.count("→ as above") == 6
    assert render("terminal", replace(FULL, findings=many), verbose=True).count("save_file(model") == 9
