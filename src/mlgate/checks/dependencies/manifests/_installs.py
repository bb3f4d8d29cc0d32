"""Commands that install packages: pip, uv, pipx, Poetry, PDM, Pipenv and conda.

What a command installs is read from its words. Where a word is known only when the
command runs, that is a problem, never a guess.
"""

import json
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from mlgate.checks.dependencies.manifest import MANIFEST, PROJECT, REQUIREMENTS, Include, shown
from mlgate.checks.dependencies.manifests import _calls, conda
from mlgate.checks.dependencies.manifests._entries import Entries
from mlgate.checks.dependencies.manifests._shell import Word, commands
from mlgate.checks.dependencies.manifests._surroundings import places, second_index, settings

# Any word by which such a command could start; what holds none of them installs nothing.
TOOLS = (
    rb"(?i)(?:\b|-m)(?:pip|pip3|pipx|pip-sync|uv|uvx|conda|mamba|micromamba|pixi|rye|poetry|pdm|pipenv"
    rb"|easy_install|micropip|piplite|pipmain)\b|\bsetup\.py\b"
)

_DEPTH = 3
_ABBREVIATED = len("--re")
_PYTHON = re.compile(r"^(?:python|pypy)[\d.]*$|^py$")
# A tool whose path is computed: $(which pip), ${VENV_PIP}.
_COMPUTED = re.compile(r"(?i)(?:^|[^a-z])(pip|conda|mamba)[\d.]*(?![a-z])")
_SHELLS = frozenset({"sh", "bash", "zsh", "ash", "dash", "ksh", "su"})
_SPEAKERS = frozenset({"echo", "printf", "grep", "alias", "which", "type", "man"})
_PIP = re.compile(r"^pip(?:\d(?:\.\d+)*)?$")
_CONDA = frozenset({"conda", "mamba", "micromamba"})
_VERBS = {
    "pipx": {"install": "pip", "run": "first", "inject": "pip", "upgrade": "pip"},
    "poetry": {"add": "poetry"},
    "pdm": {"add": "pip"},
    "pipenv": {"install": "pip"},
    "rye": {"add": "pip", "install": "pip"},
}
# Tools without a verb.
_WHOLE = {"uvx": "first", "easy_install": "pip", "pip-sync": "files", "get-pip.py": "pip"}
# Words between a tool and its verb.
_FEW = 8
_FILES = ("-r", "-c", "-e", "-f")


@cache
def _options() -> Any:
    return json.loads((Path(__file__).parent.parent / "data" / "install_options.json").read_bytes())


@cache
def _long(tool: str) -> dict[str, str]:
    """Options that take a value, by what it means to this reader ("" where it means nothing)."""
    options = _options()
    if tool in _CONDA:
        return {**dict.fromkeys(options["conda_values"], ""), **options["conda_meanings"]}
    more = options["uv_values"] if tool == "uv" else ()
    return {**dict.fromkeys([*options["values"], *more], ""), **options["meanings"]}


@cache
def _short(tool: str) -> dict[str, str]:
    options = _options()
    by_tool = options["short"]
    return dict(options["conda_short"] if tool in _CONDA else by_tool.get(tool, by_tool["pip"]))


def read(
    script: str,
    line: Callable[[int], int | None],
    entries: Entries,
    known: Mapping[str, str] | None = None,
    depth: int = 0,
) -> None:
    """Read what the commands of a script install.

    Args:
        script: Shell text.
        line: From a 0-based line of the script to a line of the manifest.
        entries: What is found is added here.
        known: Values of variables that are constant.
        depth: Scripts inside scripts so far.
    """
    spoken: Word | None = None
    for command in commands(script, known or {}):
        words = tuple(Word(each.text, each.open, line(each.line) or 0) for each in command.words)
        settings(words, entries)
        if not _installs(words, entries) and depth < _DEPTH:
            for inner in _inner(words):
                _nested(inner, entries, known, depth + 1)
            if command.piped and spoken is not None and _base(words[-1]) in _SHELLS:
                _nested(spoken, entries, known, depth + 1)
            places(words, entries)
        speaks = _base(words[0]) in ("echo", "printf")
        spoken = Word(" ".join(each.text for each in words[1:]), line=words[0].line) if speaks else None


def _nested(script: Word, entries: Entries, known: Mapping[str, str] | None, depth: int) -> None:
    read(script.text, lambda _: script.line or None, entries, known, depth)


def _inner(words: tuple[Word, ...]) -> Iterator[Word]:
    """Yield the scripts that a command is given as a word."""
    for index, word in enumerate(words):
        if _base(word) in _SHELLS:
            for option, script in zip(words[index + 1 :], words[index + 2 :], strict=False):
                if re.fullmatch(r"-[a-z]*c|--command", option.text):
                    yield script
                    return
        if _PYTHON.match(_base(word)):
            for option, source in zip(words[index + 1 :], words[index + 2 :], strict=False):
                if re.fullmatch(r"-[A-Za-z]*c", option.text):
                    for called, _ in _calls.scripts(source.text):
                        yield Word(called, line=word.line)
                    return
        if _base(word) == "eval":
            yield Word(" ".join(each.text for each in words[index + 1 :]), line=word.line)
            return


def _base(word: Word) -> str:
    if word.open and (found := _COMPUTED.search(word.text)):
        return found[1].lower()
    return word.text.removeprefix("-m").replace("\\", "/").rpartition("/")[2].lower().removesuffix(".exe")


def _installs(words: tuple[Word, ...], entries: Entries) -> bool:
    """Read a command that installs; False where it is none. Lines are the manifest's, 0 for none."""
    if _base(words[0]) in _SPEAKERS:
        return False
    piped = False
    for index, word in enumerate(words):
        tool = _base(word)
        piped |= tool == "xargs"
        found = _arguments(tool, words, index + 1)
        if found is None:
            continue
        kind, begin = found
        if piped:
            message = "installs what another command writes, which is known only when it runs; write it out"
            entries.problem("computed-requirement", message, word.line or None)
        if kind == "setup":
            entries.include(Include(".", word.line or None, PROJECT))
        elif kind == "conda":
            _conda(words[begin:], entries)
        else:
            _pip(list(_parsed(words[begin:], "uv" if tool == "uvx" else tool)), entries, kind)
        return True
    return False


def _arguments(tool: str, words: tuple[Word, ...], at: int) -> tuple[str, int] | None:
    """Return how to read the words behind a tool that installs, and where they begin."""
    if _PIP.match(tool):
        return _after(words, at, {"install": "pip", "wheel": "pip", "download": "pip", "sync": "files"})
    if tool in _CONDA:
        return _after(words, at, dict.fromkeys(("install", "create", "update", "upgrade", "env"), "conda"))
    if tool in _WHOLE:
        return _WHOLE[tool], at
    if tool == "setup.py":
        return _after(words, at, {"install": "setup", "develop": "setup"})
    if tool == "pixi":
        pypi = any(word.text == "--pypi" for word in words[at:])
        return _after(words, at, {"add": "pip" if pypi else "conda"})
    if tool == "uv":
        found = _after(words, at, {"add": "pip", "run": "options", "tool": "tool"})
        if found and found[0] == "tool":
            return _after(words, found[1], {"install": "first", "run": "first", "upgrade": "first"})
        return found
    verbs = _VERBS.get(tool)
    return _after(words, at, verbs) if verbs else None


def _after(words: tuple[Word, ...], at: int, verbs: Mapping[str, str]) -> tuple[str, int] | None:
    """Find the tool's verb: options may stand before it, and their values."""
    value = True
    for index in range(at, min(at + _FEW, len(words))):
        text = words[index].text
        if text in verbs:
            return verbs[text], index + 1
        option = text.startswith("-")
        if not option and (value or index == at):
            return None
        value = not option
    return None


def _parsed(words: Iterable[Word], tool: str) -> Iterator[tuple[str, Word]]:
    """Yield (meaning, word): "" for a word that is no option."""
    pending = iter(words)
    for word in pending:
        text = word.text
        if text == "--":
            yield from (("", rest) for rest in pending)
        elif text.startswith("--"):
            name, equals, value = text.partition("=")
            meaning = _meaning(name, tool)
            if meaning is not None:
                given = Word(value, word.open, word.line) if equals else _next(pending, word)
                if meaning:
                    yield meaning, given
        elif text.startswith("-") and len(text) > 1:
            yield from _bundle(word, _short(tool), pending)
        else:
            yield "", word


def _meaning(name: str, tool: str) -> str | None:
    """Return what an option's value means, None where it takes none. pip takes abbreviations."""
    known = _long(tool)
    if name in known:
        return known[name]
    if tool.startswith("pip") and len(name) > _ABBREVIATED:
        whole = {meaning for option, meaning in known.items() if meaning and option.startswith(name)}
        return whole.pop() if len(whole) == 1 else None
    return None


def _bundle(word: Word, short: Mapping[str, str], pending: Iterator[Word]) -> Iterator[tuple[str, Word]]:
    """Read ``-qr file`` and ``-rfile``: letters up to the first that takes a value."""
    for at, letter in enumerate(word.text[1:], 2):
        if letter in short:
            rest = word.text[at:]
            given = Word(rest.removeprefix("="), word.open, word.line) if rest else _next(pending, word)
            if short[letter]:
                yield short[letter], given
            return


def _next(pending: Iterator[Word], option: Word) -> Word:
    """Return an option's value; ``-r <(command)`` has one that no word holds."""
    return next(pending, Word(f"{option.text} (what another command writes)", open=True, line=option.line))


def _pip(words: list[tuple[str, Word]], entries: Entries, kind: str) -> None:
    named = False
    for meaning, word in words:
        if not meaning and (kind == "options" or (kind == "first" and named)):
            return  # what is run, and words for it
        named |= not meaning or meaning == "package"
        line = word.line or None
        if meaning == "index" or (meaning == "-f" and word.open):
            entries.index(second_index(word.text, line))
        elif word.open:
            _computed(word, entries)
        elif meaning in _FILES or kind == "files":
            entries.line(f"{meaning or '-r'} {shlex.quote(word.text)}", line)
        elif meaning == "package":
            for each in word.text.split(","):
                entries.line(each, line)
        else:
            entries.line(_of_poetry(word.text) if kind in ("poetry", "first") else word.text, line)


def _of_poetry(text: str) -> str:
    """Translate ``name@version`` into a requirement; a caret or tilde pins nothing."""
    name, at, version = text.partition("@")
    if not at or "/" in version or ":" in version:
        return text
    return f"{name}=={version}" if version[:1].isdigit() else name


def _computed(word: Word, entries: Entries) -> None:
    named = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", word.text)
    message = f"installs {shown(word.text, 80)}, which is known only when it runs; write the requirement out"
    entries.problem("computed-requirement", message, word.line or None, named[0].lower() if named else "")


def _conda(words: Iterable[Word], entries: Entries) -> None:
    for meaning, word in _parsed(words, "conda"):
        line = word.line or None
        if word.open:
            _computed(word, entries)
        elif meaning == "file":
            role = MANIFEST if word.text.endswith((".yml", ".yaml")) else REQUIREMENTS
            entries.include(Include(word.text, line, role))
        elif word.text not in ("create", "update", "env"):
            conda.package(word.text, line, entries)
