"""YAML whose tags make the loader import, call or instantiate what the file names.

PyYAML's ``!!python/...``, however it is written (``%TAG``, verbatim, escaped), and
HyperPyYAML's ``!new:``, ``!apply:``, ``!name:`` and ``!module:``; and its ``!include:`` of a file
from outside the folder. A tag with a package of Java in it names a class that SnakeYAML makes.
"""

import builtins
import re
from collections.abc import Iterator
from functools import cache

from mlgate.checks.models.configs import _yaml
from mlgate.checks.models.paths import escape
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.stream import printable
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "yaml"
KIND = "text"
ORDER = 70

_PREFIXES = ("tag:yaml.org,2002:python/", "!python/")
_HOWS = {
    "object/apply": "call",
    "object/new": "new",
    "object": "instance",
    "name": "name",
    "module": "module",
}
# SnakeYAML makes an instance of whatever class a tag names; no tag of YAML's own has a dot.
_JAVA = re.compile(r"tag:yaml\.org,2002:((?:[a-z][\w$]*\.){2,}[\w.$]{1,200})")
_HYPER = {"!apply": "call", "!applyref": "call", "!new": "new", "!name": "name", "!module": "module"}


def sniff(blob: Blob) -> bool:
    """Any text may be YAML; see ``read`` for which are parsed."""
    return _yaml.could_be_yaml(blob)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield every tag that names a Python object or a file elsewhere, with how it is used.

    Raises:
        Declined: There is none.
        LimitReached: The text is too long, or nested too deep.
    """
    text = _yaml.text_with(blob, _suspicious().search, limits, clock)
    seen: set[tuple[str, str]] = set()
    # The two scanners differ in what they refuse: what one of them reads, its loaders load.
    for pure in (True, False):
        if pure and not _yaml.readable_purely(text):
            continue
        for how, subject, line, dialect in _uses(text, clock, pure=pure, partial=_yaml.named_yaml(blob)):
            if (how, subject) not in seen:
                seen.add((how, subject))
                clock.spend("facts", 1, limits.facts)
                yield blob.fact("yaml.tag", printable(subject), line=line, how=how, dialect=dialect)
    if not seen:
        raise Declined


def _uses(text: str, clock: Clock, *, pure: bool, partial: bool) -> Iterator[tuple[str, str, int, str]]:
    """Yield how, what, where and in which dialect, document by document.

    A loader composes a document before it constructs it: what stands in a broken one was
    never loaded, and is said only where the file is meant to be YAML.
    """
    waiting: list[tuple[str, str, int, str]] = []
    try:
        for node in _yaml.nodes(text, clock, pure=pure, tagged=True):
            if node is None:
                yield from waiting
                waiting.clear()
            elif node.tag:
                use = _use(node.tag)
                if use is not None and len(waiting) < 10_000:
                    waiting.append((use[0], use[1], node.line, use[2]))
    except ValueError:
        if partial:
            yield from waiting


def _use(tag: str) -> tuple[str, str, str] | None:
    for prefix in _PREFIXES:
        if tag.startswith(prefix):
            kind, _, subject = tag.removeprefix(prefix).partition(":")
            how = _HOWS.get(kind)
            if how is None or not subject:
                return None
            # PyYAML looks up what has no module among the builtins.
            bare = "." not in subject and how != "module"
            return how, f"builtins.{subject}" if bare else subject, "python"
    java = _JAVA.fullmatch(tag)
    if java is not None:
        return "instance", java[1], "java"
    kind, _, subject = tag.partition(":")
    subject = subject.strip()
    if kind == "!include" and escape(subject) is not None:
        return "include", subject, "hyperpyyaml"
    how = _HYPER.get(kind)
    if how is None or not subject:
        return None
    # pydoc.locate looks up what has no module among the builtins, too.
    bare = how != "module" and hasattr(builtins, subject)
    return how, f"builtins.{subject}" if bare else subject, "hyperpyyaml"


@cache
def _suspicious() -> re.Pattern[str]:
    return re.compile(
        r"!!(?:[a-z][\w$]{0,40}\.){2}|yaml\.org,2002:(?:[a-z][\w$]{0,40}\.){2}|"
        r"![^\s]{0,200}?(?:python|%[0-9A-Fa-f]{2})|^\ufeff?%TAG|!(?:new|apply|applyref|name|module|include):",
        re.MULTILINE,
    )
