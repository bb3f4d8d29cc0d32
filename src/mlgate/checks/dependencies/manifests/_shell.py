"""Shell commands as words, read statically: nothing is expanded but known constants.

Quotes, escapes, comments, operators and line continuations are those of POSIX's shell
grammar (https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html).
What only a run could tell (``$(...)``, a variable without a known value) stays in the
word as written, and the word says so.
"""

from collections.abc import Iterator, Mapping

from msgspec import Struct

_LONGEST_VALUE = 4_096
# Values may be short and used a million times.
_MOST_EXPANDED = 1 << 20
_OPERATORS = ";&|()\n"


class Word(Struct, frozen=True):
    """One word.

    Attributes:
        text: Without quotes; what could not be expanded as written.
        open: True where a part of it is known only when it runs.
        line: 0-based line of the script on which it starts.
    """

    text: str
    open: bool = False
    line: int = 0


class Command(Struct, frozen=True):
    """One simple command.

    Attributes:
        words: Without redirections; at least one.
        piped: True where another command's output is its input.
    """

    words: tuple[Word, ...]
    piped: bool = False


def commands(script: str, known: Mapping[str, str]) -> Iterator[Command]:
    """Yield the simple commands of a script, in order, whatever would run of them.

    Args:
        script: Text of a shell script; total for any text, in linear time.
        known: Values of variables that are constant.
    """
    values = dict(known)
    reader = _Reader(script, values)
    words: list[Word] = []
    piped, skip = False, False
    while True:
        operator, parts = reader.next()
        for word in parts:
            if skip:  # what a redirection reads or writes
                skip = False
                continue
            words.append(word)
        if operator in ("<", ">"):
            skip = True
            continue
        if operator is not None:
            if words:
                yield Command(tuple(words), piped)
                _assign(words, values)
            # The end of a line continues a pipe.
            piped = operator == "|" or (piped and operator == "\n" and not words)
            words, skip = [], False
            if operator == "":
                return


def _assign(words: list[Word], values: dict[str, str]) -> None:
    """Keep the constants that a command sets for those after it."""
    if words[0].text in ("export", "readonly", "declare", "local"):
        words = words[1:]
    pairs = [(word.text.partition("="), word.open) for word in words]
    if not all(equals and name.isidentifier() for (name, equals, _), _ in pairs):
        return
    for (name, _, value), unknown in pairs:
        values.pop(name, None)
        if not unknown and len(value) <= _LONGEST_VALUE:
            values[name] = value


class _Reader:
    """Reads one word or operator at a time."""

    def __init__(self, text: str, known: Mapping[str, str]) -> None:
        self._text = text
        self._known = known
        self._at = 0
        self._line = 0
        self._room = _MOST_EXPANDED

    def next(self) -> tuple[str | None, list[Word]]:
        """Return an operator ("" at the end) or None, and the words read."""
        self._blanks()
        character = self._peek()
        if character == "":
            return "", []
        if character in _OPERATORS:
            self._at += 1
            self._line += character == "\n"
            if character in "&|" and self._peek() == character:
                self._at += 1
                return ";", []
            return character, []
        if character in "<>":
            while self._peek() and self._peek() in "<>&|-":
                self._at += 1
            return character, []
        words = self._word()
        # "2>&1": the number belongs to the redirection.
        if self._peek() in ("<", ">") and len(words) == 1 and words[0].text.isdigit():
            return None, []
        return None, words

    def _peek(self, ahead: int = 0) -> str:
        at = self._at + ahead
        return self._text[at : at + 1]

    def _blanks(self) -> None:
        while True:
            character = self._peek()
            if character in (" ", "\t", "\r") and character:
                self._at += 1
            elif character == "\\" and self._peek(1) == "\n":
                self._at += 2
                self._line += 1
            elif character == "#":
                end = self._text.find("\n", self._at)
                self._at = len(self._text) if end < 0 else end
            else:
                return

    def _word(self) -> list[Word]:
        """Read one word; an unquoted variable may hold several."""
        words: list[Word] = []
        text: list[str] = []
        opened = started = False
        line = self._line
        while True:
            character = self._peek()
            if character == "" or character in " \t\r" or character in _OPERATORS or character in "<>":
                break
            self._at += 1
            if character == "'":
                started = True
                text.append(self._until("'"))
            elif character == '"':
                started = True
                inside, unknown = self._quoted()
                text.append(inside)
                opened |= unknown
            elif character == "\\":
                self._escape(text)
            elif character in "$`":
                value, unknown = self._expansion(character)
                opened |= unknown
                pieces = [value] if unknown else value.split()
                if not unknown and value[:1].isspace() and text:
                    words.append(Word("".join(text), opened, line))
                    text = []
                for piece in pieces[:-1]:
                    words.append(Word("".join(text) + piece, line=line))
                    text = []
                text += pieces[-1:]
            else:
                text.append(character)
        if text or started:
            words.append(Word("".join(text), opened, line))
        return words

    def _escape(self, text: list[str]) -> None:
        character = self._peek()
        self._at += 1
        if character == "\n":
            self._line += 1
        else:
            text.append(character)

    def _until(self, end: str) -> str:
        close = self._text.find(end, self._at)
        close = len(self._text) if close < 0 else close
        inside = self._text[self._at : close]
        self._at = close + 1
        self._line += inside.count("\n")
        return inside

    def _quoted(self) -> tuple[str, bool]:
        text: list[str] = []
        opened = False
        while (character := self._peek()) not in ("", '"'):
            self._at += 1
            if character == "\\" and self._peek() in ('"', "$", "`", "\\", "\n"):
                self._escape(text)
            elif character in "$`":
                value, unknown = self._expansion(character)
                text.append(value)
                opened |= unknown
            else:
                self._line += character == "\n"
                text.append(character)
        self._at += 1
        return "".join(text), opened

    def _expansion(self, character: str) -> tuple[str, bool]:
        """Return what stands for ``$name``, ``${name:-other}``, ``$(...)`` or a backquoted command."""
        following = self._peek()
        if character == "`":
            return f"`{self._until('`')}`", True
        if following == "(":
            return self._nested("(", ")")
        if following == "{":
            whole, _ = self._nested("{", "}")
            return self._value(whole[2:-1], whole)
        end = self._at
        while end < len(self._text) and (self._text[end].isalnum() or self._text[end] == "_"):
            end += 1
        name = self._text[self._at : end]
        self._at = end
        return self._value(name, f"${name}") if name else ("$", False)

    def _nested(self, opening: str, closing: str) -> tuple[str, bool]:
        depth, start = 0, self._at - 1
        while (character := self._peek()) != "":
            self._at += 1
            self._line += character == "\n"
            depth += (character == opening) - (character == closing)
            if depth == 0:
                break
        return self._text[start : self._at], True

    def _value(self, inside: str, written: str) -> tuple[str, bool]:
        value = self._known.get(inside)
        for operator in (":-", "-"):
            name, found, other = inside.partition(operator)
            if value is None and found and name.isidentifier():
                value = self._known.get(name) or other
        if value is None or "$" in value or "`" in value or len(value) > min(_LONGEST_VALUE, self._room):
            return written, True
        self._room -= len(value)
        return value, False
