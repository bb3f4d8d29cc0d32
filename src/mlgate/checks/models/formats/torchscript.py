"""TorchScript source in an archive: what it names is held against what exporters write.

The source is read token by token and never parsed into a tree: a name must be written to be
used, so that tokens show all that a program can reach, in bounded memory.
"""

import re
from collections.abc import Iterator
from functools import cache

from mlgate.checks.models.formats._torch_operators import Operators
from mlgate.checks.models.reader import Blob, Clock, LimitReached
from mlgate.checks.models.stream import printable, read_at
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "torchscript-code"
KIND = "text"
ORDER = 20

# Archives whose loader compiles what is in code/.
_ARCHIVES = frozenset({"torchscript", "torch", "torch-mobile"})
# Of Python, and in no TorchScript that PyTorch has written.
_PYTHON = frozenset(
    {"eval", "exec", "compile", "open", "input", "globals", "locals", "setattr", "delattr", "breakpoint"}
)
_DUNDER = frozenset(
    {
        "__builtins__", "__class__", "__bases__", "__mro__", "__subclasses__", "__globals__", "__code__",
        "__dict__", "__import__", "__loader__", "__reduce__", "__reduce_ex__", "__getattribute__",
    }
)  # fmt: skip
# Modules that PyTorch's first TorchScript imported.
_IMPORTED = ("__torch__", "torch")


def sniff(blob: Blob) -> bool:
    """Say whether it is a member that the loader of its archive compiles."""
    # PyTorch's own reader does not tell capitals from small letters.
    path = (blob.location.member or "").rpartition("!/")[2].lower()
    # A path that was too long to be shown ends in dots.
    return (
        blob.container in _ARCHIVES
        and path.endswith((".py", "..."))
        and (path.startswith("code/") or "/code/" in path)
    )


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked]:
    """Yield the operators and names that do more than compute.

    Raises:
        LimitReached: It is longer than ``limits.text_bytes``, or names too much.
    """
    if blob.size > limits.text_bytes:
        raise LimitReached("text_bytes")
    # The compiler takes bytes as they are; so what is no UTF-8 ends nothing.
    text = read_at(blob.stream, 0, blob.size).decode("utf-8", "surrogateescape")
    source = _Source(blob, text, Operators(blob, limits, clock), limits, clock)
    yield from source.facts()
    if source.broken:
        yield blob.not_checked(
            "malformed",
            "this TorchScript has texts or brackets without an end, or bytes that no source has, so that it "
            "could not be read to its end; export the model again",
            line=source.line,
        )


class _Source:
    """Goes through the tokens of one source."""

    def __init__(self, blob: Blob, text: str, operators: Operators, limits: Limits, clock: Clock) -> None:
        self._blob, self._text, self._operators = blob, text, operators
        self._limits, self._clock = limits, clock
        self._seen: set[tuple[str, str]] = set()
        self.broken = False
        self.line = 1

    def facts(self) -> Iterator[Fact]:
        """Yield what the tokens name; set ``broken`` where a text does not end."""
        text, counted, depth = self._text, 0, 0
        before = ""
        for number, token in enumerate(_tokens().finditer(text)):
            if not number & 0x3FF:
                self._clock.check()
            self.line += text.count("\n", counted, token.start())
            counted = token.start()
            if token["open"]:
                # All that follows is in this text, for a compiler that would then give up.
                self.broken = True
                return
            if token["odd"]:
                self.broken = True
            elif token["bracket"]:
                depth += 1 if token["bracket"] in "([{" else -1
                self.broken = self.broken or depth < 0
            elif token["python"]:
                yield from self._escape("python", token["python"].lstrip("^ \t"))
            elif token["chain"]:
                yield from self._chain(_spaces().sub("", token["chain"]), before, token)
            elif token["comment"] and "type:" in token["comment"]:
                yield from self._types(token["comment"])
            before = token["chain"] or ""
        self.broken = self.broken or depth != 0

    def _chain(self, chain: str, before: str, token: re.Match[str]) -> Iterator[Fact]:
        names = chain.split(".")
        behind = self._text[token.end() : token.end() + 80].lstrip()
        for name in names:
            if name in _DUNDER:
                yield from self._escape("dunder", name)
        if before in ("import", "from") and not token["dot"]:
            if names[0] not in _IMPORTED:
                yield from self._escape("import", chain)
            return
        if token["dot"]:
            return  # a method of a value, which none of the operators of note is
        declared = behind[:1] == ":" or (behind[:1] == "=" and behind[1:2] != "=")
        if names[0] == "torch" and len(names) > 2:
            yield from self._escape("module", chain)
        elif names[0] == "torch" and len(names) > 1:
            yield from self._operators.note(f"aten::{names[1]}", line=self.line)
        elif names[0] == "ops" and len(names) > 2:
            yield from self._operators.note(f"{names[1]}::{names[2]}", line=self.line)
        elif names[0] in ("torch", "ops") and not declared:
            # A namespace that is handed on can be called under any other name.
            yield from self._escape("alias", chain)
        elif chain.startswith("__torch__.torch.classes.") and len(names) > 3:
            yield from self._operators.note(f"{names[3]}::class", line=self.line)
        elif len(names) == 1 and chain in _PYTHON and behind[:1] == "(":
            yield from self._escape("builtin", chain)

    def _types(self, comment: str) -> Iterator[Fact]:
        """Judge a comment that gives types: tools in Python have evaluated these."""
        for call in _calls().finditer(comment):
            if call[1] in _PYTHON or call[1] in _DUNDER:
                yield from self._escape("builtin", call[1])

    def _escape(self, how: str, name: str) -> Iterator[Fact]:
        if (how, name) in self._seen:
            return
        self._seen.add((how, name))
        self._clock.spend("facts", 1, self._limits.facts)
        yield self._blob.fact("torchscript.escape", printable(name, 100), line=self.line, how=how)


@cache
def _tokens() -> re.Pattern[str]:
    name = r"[A-Za-z_][A-Za-z0-9_]*+"
    gap = r"[ \t\r\n\f\v\\]*+"
    return re.compile(
        r"(?P<comment>#[^\n]*+)"
        r'|"""(?:[^"\\]|\\[\s\S]|"(?!""))*+"""'
        r"|'''(?:[^'\\]|\\[\s\S]|'(?!''))*+'''"
        r'|"(?:[^"\\]|\\[\s\S])*+"'
        r"|'(?:[^'\\]|\\[\s\S])*+'"
        r"|(?P<open>[\"'])"
        r"|(?P<bracket>[()\[\]{}])"
        r"|(?P<odd>[^\t-\r -~\ufeff])"
        r"|[0-9][0-9A-Za-z_.]*+"
        rf"|(?P<python>\^[ \t]*+{name})"
        rf"|(?P<dot>\.{gap})?+(?P<chain>{name}(?:{gap}\.{gap}{name})*+)"
    )


@cache
def _calls() -> re.Pattern[str]:
    return re.compile(r"([A-Za-z_]\w*+)[ \t]*+\(")


@cache
def _spaces() -> re.Pattern[str]:
    return re.compile(r"[ \t\r\n\f\v\\]+")
