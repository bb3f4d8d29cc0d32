"""What surrounds an install command: variables and settings that it obeys, folders that it runs in."""

import re
import shlex
from itertools import pairwise

from mlgate.checks.dependencies.manifest import Index, shown
from mlgate.checks.dependencies.manifests._entries import Entries
from mlgate.checks.dependencies.manifests._shell import Word

# Variables that pip and uv take options from.
_INDEX_VARIABLES = frozenset({"PIP_EXTRA_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_INDEX", "PIP_FIND_LINKS"})
_FILE_VARIABLES = {
    "PIP_REQUIREMENT": "-r",
    "PIP_CONSTRAINT": "-c",
    "UV_CONSTRAINT": "-c",
    "UV_OVERRIDE": "-c",
}
_MANAGERS = frozenset({"pip", "pip3", "uv"})


def settings(words: tuple[Word, ...], entries: Entries) -> None:
    """Read options that a command is given as variables, or keeps in pip's own settings."""
    for word in words:
        name, equals, value = word.text.partition("=")
        if equals and name.isidentifier():
            setting(name, value, word.line or None, entries)
        elif word.text not in ("env", "export", "sudo"):
            break
    texts = [word.text for word in words]
    if "config" in texts and "set" in texts and not _MANAGERS.isdisjoint(texts):
        for key, given in pairwise(words):
            if key.text.endswith((".extra-index-url", ".find-links")):
                entries.index(second_index(given.text, given.line or None))


def setting(variable: str, value: str, line: int | None, entries: Entries) -> None:
    """Read what an environment variable tells an installer."""
    if variable in _INDEX_VARIABLES:
        for each in value.split():
            entries.index(second_index(each, line))
    elif variable in _FILE_VARIABLES:
        for each in value.split():
            entries.line(f"{_FILE_VARIABLES[variable]} {shlex.quote(each)}", line)


def places(words: tuple[Word, ...], entries: Entries) -> None:
    """Remember what a command fetches, and the folder that it goes to."""
    texts = [word.text for word in words if not word.text.startswith("-")]
    if texts[:1] == ["sudo"]:
        texts = texts[1:]
    if texts[:2] == ["git", "clone"] and len(texts) > 2:
        address = next((text for text in texts[2:] if "/" in text or ":" in text), texts[2])
        folder = texts[-1] if texts[-1] != address else address
        entries.fetch(folder.rstrip("/").rpartition("/")[2].removesuffix(".git"), shown(address))
    elif texts and texts[0] in ("cd", "pushd") and len(texts) > 1:
        entries.enter(texts[1])


def second_index(url: str, line: int | None) -> Index:
    """Return a second index without credentials and query; uv's may have a name in front."""
    url = re.sub(r"^[\w-]+=(?=https?:)", "", url)
    return Index(shown(re.split(r"[?#]", url)[0]), "--extra-index-url", line)
