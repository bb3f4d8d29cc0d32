"""The cells of a notebook: their commands, what they run that nobody can read, outputs, credentials."""

import re
from collections.abc import Iterator, Sequence
from functools import cache

from mlgate.checks.models import json_members
from mlgate.checks.models.configs._python_effects import analyse_parts
from mlgate.checks.models.configs._python_tree import Effect
from mlgate.checks.models.configs._python_words import telling
from mlgate.checks.models.configs._shell_words import WORDS, commands
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.secrets import secret_facts
from mlgate.checks.models.stream import CHUNK, printable, read_at
from mlgate.checks.models.text import read_text
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

_SCRIPTS = ("application/javascript", "text/javascript")
_MARKUP = ("text/html", "image/svg+xml", "text/markdown")
# Of an image or a table nobody reads more.
_LONGEST = 1 << 20
_OVERLAP = 4096
# Source of so many cells, and of so much text, is looked at as Python.
_MOST_CELLS = 10_000
_CONNECTIONS = frozenset(("socket.create_connection", "socket.socket"))
# IPython's own ways to a shell, and Python's that they stand for.
_SHELLS = (
    ("get_ipython().system(", "__import__('os').system("),
    ("get_ipython().getoutput(", "__import__('os').popen("),
    ("get_ipython().system_raw(", "__import__('os').system("),
)
# Cell magics that leave the cell Python.
_PYTHON_CELLS = ("%%time", "%%capture", "%%prun", "%%python", "%%debug", "%%memit", "%%mprun")


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield commands, outputs and credentials; a kind of output only once.

    Notebooks that are longer than ``limits.text_bytes`` are searched as they are written.

    Raises:
        Declined: There is nothing of note, or Jupyter could not read it either.
        LimitReached: There is too much to note.
    """
    parts = _written(blob, clock) if blob.size > limits.text_bytes else _parts(read_text(blob, limits), clock)
    known: set[tuple[str, str, str]] = set()
    source: list[tuple[str, int]] = []
    unread = 0
    try:
        for role, text, line in parts:
            if role == "code" and line is not None:
                python = _python(text)
                if len(source) < _MOST_CELLS:
                    source.append((python, line))
                elif not unread and telling(python.encode("utf-8", "replace")):
                    unread = line
                if (
                    not unread
                    and len(text) > _LONGEST
                    and telling(text[_LONGEST:].encode("utf-8", "replace"))
                ):
                    unread = line
            for fact in _facts(blob, role, text, line):
                key = (fact.kind, fact.subject, "" if fact.kind == "notebook.output" else str(fact.detail))
                if key not in known:
                    known.add(key)
                    clock.spend("facts", 1, limits.facts)
                    yield fact
    except json_members.Malformed:
        pass  # what was seen before stands
    told = {subject for _, subject, _ in known}
    worth = telling("\n".join(text for text, _ in source).encode("utf-8", "replace"))
    done = analyse_parts(source if worth else (), clock)
    unread = done.unread or unread
    for fact in _acts(blob, done.effects):
        if fact.subject not in told:
            told.add(fact.subject)
            clock.spend("facts", 1, limits.facts)
            yield fact
    if unread:
        yield blob.not_checked(
            "limit",
            "the code from this cell on is too long to be judged; split the notebook, or move its code into "
            "modules",
            line=unread,
        )
    elif not told:
        raise Declined


def _python(text: str) -> str:
    """Return what of a cell is Python; lines for IPython and for a shell become empty ones."""
    if text.lstrip().startswith("%%") and not text.lstrip().startswith(_PYTHON_CELLS):
        return ""
    for method, function in _SHELLS:
        text = text.replace(method, function)
    return "\n".join("" if _magic().match(line) else line for line in text[:_LONGEST].splitlines())


def _acts(blob: Blob, effects: Sequence[Effect]) -> Iterator[Fact]:
    """Yield what cells do, one after the other, that is told by no word alone."""
    for each in effects:
        hidden = "decoded" in each.source and each.act in ("evaluates", "executes", "loads")
        if hidden or ("downloaded" in each.source and each.act == "evaluates"):
            what = "fetched" if not hidden else "unpickled" if each.act == "loads" else "decoded"
            yield blob.fact("notebook.command", what, line=each.line, text=f"{each.subject}(...)")
        elif each.act == "network" and each.source == "secrets":
            yield blob.fact("notebook.command", "sends", line=each.line, text=f"{each.subject}(...)")
        elif each.act == "writes":
            yield blob.fact("notebook.command", "startup", line=each.line, text=f"{each.subject}(...)")
    started = [each for each in effects if each.act == "executes" and each.source != "usual"]
    for each in effects:
        if each.subject in _CONNECTIONS and started:
            yield blob.fact(
                "notebook.command", "remote", line=each.line, text=f"{each.subject}, {started[0].subject}"
            )


def _written(blob: Blob, clock: Clock) -> Iterator[tuple[str, str, int | None]]:
    """Yield the text as it stands, piece by piece."""
    for start in range(0, blob.size, CHUNK):
        clock.check()
        raw = read_at(blob.stream, start, CHUNK + _OVERLAP).decode("utf-8", "replace")
        yield "code", raw.replace("\\n", "\n").replace('\\"', '"').replace("\\u003c", "<"), None


def _parts(text: str, clock: Clock) -> Iterator[tuple[str, str, int | None]]:
    """Yield the role, text and line of each cell's source and of each output.

    Roles are ``code``, ``prose``, or the type of an output.
    """
    held: list[str] = []
    place: tuple[str | int, ...] = ()
    line = first = 1
    at = 0
    cell: tuple[str | int, ...] = ()
    kind = "code"
    waiting: list[tuple[str, str, int]] = []
    for member in json_members.members(text, clock):
        line, at = line + text.count("\n", at, member.offset), member.offset
        path = member.path
        around = path[: path.index("cells") + 2] if "cells" in path else ()
        if around != cell:
            # The type of a cell may stand behind its source.
            if held:
                waiting.append((_role(place), "".join(held), first))
            yield from ((_named(role, kind), each, where) for role, each, where in waiting)
            waiting, held, place, cell, kind = [], [], (), around, "code"
        if not isinstance(member.value, str) or not cell:
            continue
        if path == (*cell, "cell_type"):
            kind = member.value
            continue
        owner = path[:-1] if isinstance(path[-1], int) else path
        if owner != place:
            if held:
                waiting.append((_role(place), "".join(held), first))
            held, place, first = [], owner, line
        if _role(owner):
            held.append(member.value)
    if held:
        waiting.append((_role(place), "".join(held), first))
    yield from ((_named(role, kind), each, where) for role, each, where in waiting)


def _role(place: tuple[str | int, ...]) -> str:
    """Say what a text is by the place where it stands; "" where it is nothing to look at."""
    key = str(place[-1]) if place else ""
    if key in ("source", "input") and "outputs" not in place:
        return "source"
    if "outputs" in place or "attachments" in place:
        return {"html": "text/html", "svg": "image/svg+xml", "javascript": _SCRIPTS[0]}.get(key, key)
    return ""


def _named(role: str, kind: str) -> str:
    return role if role != "source" else "code" if kind == "code" else "prose"


def _facts(blob: Blob, role: str, text: str, line: int | None) -> Iterator[Fact]:
    if not role or role.startswith(("image/png", "image/jpeg")):
        return
    text = text[:_LONGEST]
    yield from secret_facts(blob, text, line=line, where="" if role in ("code", "prose") else "output")
    if role == "code":
        for what, pattern in _commands().items():
            if what in WORDS and not any(word in text for word in WORDS[what]):
                continue
            for found in pattern.finditer(text):
                start = text.rfind("\n", 0, found.start()) + 1
                if text[start : found.start()].lstrip().startswith("#"):
                    continue
                at = None if line is None else line + text.count("\n", 0, found.start())
                subject = "connection" if what == "duplicated" else what
                yield blob.fact("notebook.command", subject, line=at, text=printable(found[0], 200))
    elif role in _SCRIPTS or (role in _MARKUP and _script().search(text)):
        drives = "kernel.execute" in text or "kernel.session" in text
        yield blob.fact("notebook.output", role, line=line, kernel=drives)


@cache
def _commands() -> dict[str, re.Pattern[str]]:
    return {
        **commands(),
        # Who may log in, and what the machine runs by the clock.
        "startup": re.compile(
            r"(?:>>?|\btee\s+(?:-a\s+)?)\s*[\"']?[\w~${}/.-]{0,60}(?:\.ssh/authorized_keys|/etc/cron)[^\n]{0,100}"
            r"|\|\s*crontab\s+-"
        ),
        "foreign": re.compile(r"^%%(?:script\s+(?:--?\w+\s+)*)?(?:perl|ruby|node|php|lua)\b", re.MULTILINE),
        "alias": re.compile(r"^[ \t]*%alias[ \t]+\w+[ \t]+\S[^\n]{0,200}", re.MULTILINE),
        "index": re.compile(
            r"\bpip[\d.]*\s+install\b[^\n]{0,300}(?:index-url|find-links|-i|-f)[\s=]+http://[^\n]{0,200}"
        ),
        "duplicated": re.compile(r"\bos\.dup2\s*\(\s*\w+\.fileno\(\)"),
        "decoded": re.compile(
            r"(?<![\w.])(?:exec|eval)\s*\([^\n]{0,80}?\b(?:b64decode|decompress|fromhex|unhexlify)\s*\("
        ),
    }


@cache
def _magic() -> re.Pattern[str]:
    return re.compile(r"\s*(?:[%!?]|[\w.,\s]+=\s*[%!])")


@cache
def _script() -> re.Pattern[str]:
    return re.compile(r"<script\b|\bjavascript:", re.IGNORECASE)
