"""The trend of earlier runs and this one, as columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlgate.core.report import Verdict
from mlgate.reports import _svg as draw
from mlgate.reports._text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

    from mlgate.core.report import PastRun

_WIDTH, _HEIGHT = 440.0, 160.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 10.0, 12.0, 44.0
MOST = 60
_MARK = {Verdict.PASS: "pass", Verdict.FAIL: "fail", Verdict.UNDECIDED: "inconclusive"}


def columns(runs: Sequence[PastRun]) -> Markup:
    """Return a column for each run, oldest left: what blocked, and upon it what was not checked.

    Beneath each column stands the mark of its verdict. At most 60 runs are drawn, the last.
    """
    shown = runs[-MOST:]
    top = max(1, *(run.blocking + run.not_checked for run in shown))
    y = draw.Scale(0.0, float(top), _HEIGHT - _BOTTOM, _TOP)
    base = y(0.0)
    marks = []
    for value in sorted({0, round(top / 2), top}):
        marks.append(draw.line("grid", _LEFT, y(value), _WIDTH - _RIGHT, y(value)))
        marks.append(draw.text("tick", _LEFT - 6, y(value) + 4, f"{value:,}", anchor="end"))
    step = (_WIDTH - _LEFT - _RIGHT) / len(shown)
    width = min(step * 0.7, 28.0)
    for number, run in enumerate(shown):
        middle = _LEFT + (number + 0.5) * step
        blocked, unread = y(run.blocking), y(run.blocking + run.not_checked)
        if run.blocking:
            marks.append(draw.rect("column fail", middle - width / 2, blocked, width, base - blocked))
        if run.not_checked:
            marks.append(draw.rect("column undecided", middle - width / 2, unread, width, blocked - unread))
        marks.append(draw.point(_MARK[run.verdict], middle, base + 12, min(4.5, width / 2)))
    marks.append(draw.line("axis", _LEFT, base, _WIDTH - _RIGHT, base))
    for run, x, anchor in ((shown[0], _LEFT, "start"), (shown[-1], _WIDTH - _RIGHT, "end")):
        if anchor == "end" or len(shown) > 1:
            marks.append(draw.text("tick", x, _HEIGHT - 6, run.started[:10], anchor=anchor))
    verdicts = ", ".join(run.verdict.value for run in shown[-12:])
    title = f"{counted(len(shown), 'run')}, the last of them: {verdicts}"
    return draw.svg(_WIDTH, _HEIGHT, "trend", title, marks)
