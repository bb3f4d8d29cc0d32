"""What the expressions in a configuration do: MONAI's, and those of resolvers such as ``${eval:...}``."""

import re
from collections.abc import Iterator
from functools import cache

from mlgate.checks.models.configs import _python_effects, _python_words, _yaml
from mlgate.checks.models.configs._scalars import scalars
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

_GRAVE = frozenset(("executes", "imports", "evaluates", "writes", "loads", "native"))


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield what the expressions do beyond computing.

    Raises:
        Declined: They do nothing of note, or there are none.
        LimitReached: The text is too long, or nested too deep.
    """
    text = _yaml.text_with(blob, _expression().search, limits, clock)
    if not _python_words.telling(text.encode("utf-8", "replace")) and not _yaml.escaped(text):
        raise Declined
    parts: list[tuple[str, int]] = []
    try:
        for scalar in scalars(blob, text, clock):
            if "$" not in scalar.value:
                continue
            resolved = list(_resolved(scalar.value))
            clock.spend("members", len(resolved), limits.members)
            parts += [(each, scalar.line) for each in resolved]
            if not resolved and scalar.value.startswith("$"):
                clock.spend("members", 1, limits.members)
                # A reference to another value stands for an object of which nothing is known.
                parts.append((_references().sub("_value", scalar.value[1:]).strip(), scalar.line))
    except ValueError:
        raise Declined from None
    # Whatever is imported is there for all, wherever it stands.
    parts.sort(key=lambda part: not part[0].startswith(("import ", "from ")))
    yield from done(blob, parts, limits, clock)


def _resolved(value: str) -> Iterator[str]:
    """Yield what stands in each resolver of a value, without its quotes."""
    starts = [match.span() for match in _resolver().finditer(value)]
    ends = [*(start for start, _ in starts[1:]), len(value)]
    for (_, start), end in zip(starts, ends, strict=False):
        # Up to the next of them, and with those within it taken for values.
        pieces = {value[start:end], _inner().sub("_value", value[start:])}
        for piece in pieces:
            inside = piece[: piece.rfind("}")] if "}" in piece else piece
            inside = inside.strip()
            if inside[:1] in ("'", '"') and inside[-1:] == inside[:1]:
                inside = inside[1:-1].replace(f"\\{inside[0]}", inside[0])
            yield inside.strip("'\" \n")


@cache
def _inner() -> re.Pattern[str]:
    return re.compile(r"\$\{[^${}]*\}")


def done(
    blob: Blob, parts: list[tuple[str, int]], limits: Limits, clock: Clock
) -> Iterator[Fact | NotChecked | Blob]:
    """Yield what expressions do, each given with its line.

    Raises:
        Declined: They do nothing of note.
        LimitReached: They do too much.
    """
    source = _python_effects.analyse_parts(parts, clock)
    reaching = [line for text, line in parts if "__import__" in text]
    if not any(effect.act in _GRAVE for effect in source.effects) and reaching:
        # By a way that is not followed.
        clock.spend("facts", 1, limits.facts)
        yield blob.fact(
            "config.expression", "builtins.__import__", line=reaching[0], act="imports", source=""
        )
    elif not source.effects and source.unread is None:
        raise Declined
    if source.unread is not None:
        yield blob.not_checked(
            "limit", "this expression is too long to be judged; write it shorter", line=source.unread
        )
    for effect in source.effects:
        clock.spend("facts", 1, limits.facts)
        yield blob.fact(
            "config.expression", effect.subject, line=effect.line, act=effect.act, source=effect.source
        )


@cache
def _expression() -> re.Pattern[str]:
    return re.compile(r"[\"'\s]\$[^\s{$]|\$\{\s{0,9}(?:eval|exec|py|expr|calc)|\\(?:x|u00|U000000)24")


@cache
def _resolver() -> re.Pattern[str]:
    # What projects register with OmegaConf under such names is Python's `eval`, as a rule.
    return re.compile(r"\$\{\s{0,9}(?:eval|exec|py|expr|calc)\w{0,12}\s{0,9}:\s{0,9}")


@cache
def _references() -> re.Pattern[str]:
    return re.compile(r"(?<![\w)\]])@\w+(?:(?:#|::)\w+)*")
