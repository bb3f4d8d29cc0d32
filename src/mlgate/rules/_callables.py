"""What a name means that a text tells its loader to look up and call."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from mlgate.core import toml_table
from mlgate.rules import _globals
from mlgate.rules._pickle_tables import tables

DOES = {
    "executes": "runs code or commands",
    "code": "rebuilds executable code",
    "resolves": "looks up objects by a name that the file chooses",
    "loads": "loads further data that can run code itself",
    "network": "opens the network",
    "file": "reads or writes files",
    "calls": "takes a name out of what it is given, or calls it",
    "process": "changes the process or the machine",
}


@cache
def _names() -> Mapping[str, frozenset[str]]:
    data = toml_table.read(Path(__file__).parent / "data" / "callables.toml")
    return {key: frozenset(names) for key, names in data.items()}


def danger(subject: str) -> str | None:
    """Return the category of danger of calling ``module.name`` as a configuration asks, or None."""
    for category in ("executes", "loads", "resolves", "calls", "network", "file"):
        if _within(subject, category):
            return category
    if _within(subject, "honest"):
        # Modules pass modules on: torch.os.system is os.system.
        return _through(subject)
    return _globals.category(*_globals.split(subject)) if "." in subject else None


def removes(subject: str) -> bool:
    """Say whether ``module.name`` removes or overwrites files, whichever module passes it on."""
    steps = ["os" if step in ("posix", "nt") else step for step in subject.split(".")]
    return any(_within(".".join(steps[at:]), "removes") for at in range(len(steps) - 1))


def grave_module(subject: str) -> bool:
    """Say whether to have the module is to have what runs code, or reaches files."""
    if subject.rpartition(".")[2] in _names()["modules"] or _within(subject, "executes"):
        return True
    return _globals.category(subject, "") in ("executes", "code") and not _within(subject, "honest")


def known(subject: str) -> bool:
    """Say whether the name belongs to a package that honest models are made of."""
    return _within(subject, "known") or _globals.known(subject)


def documents(subject: str) -> bool:
    """Say whether the name belongs to a tool that renders documentation."""
    root = subject.partition(".")[0]
    return root.partition("_")[0] in _names()["documentation"] or root in _names()["documentation"]


def _within(subject: str, table: str) -> bool:
    names = _names()[table]
    while subject:
        if subject in names:
            return True
        subject = subject.rpartition(".")[0]
    return False


def _through(subject: str) -> str | None:
    steps = subject.split(".")
    for at, step in enumerate(steps[1:-1], 1):
        if step.lstrip("_") in tables().telling and not step[:1].isupper():
            inner = ".".join((step.lstrip("_"), *steps[at + 1 :]))
            found = _globals.category(*_globals.split(inner))
            if found in ("executes", "code") and not _within(inner, "honest"):
                return found
    last = steps[-1]
    return "executes" if tables().telling.get(last) == "executes" and last in _PLAIN else None


# Names that mean the same wherever they are found, also in modules that are honest.
_PLAIN = frozenset(
    ("system", "popen", "Popen", "check_output", "check_call", "getoutput", "eval", "exec", "execfile")
)
