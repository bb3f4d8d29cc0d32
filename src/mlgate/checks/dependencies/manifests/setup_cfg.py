"""setup.cfg: what a setuptools project declares without code.

See https://setuptools.pypa.io/en/latest/userguide/declarative_config.html. Read line by
line, as ``configparser`` does it, because that one does not tell where a value stands.
"""

import re
from collections.abc import Iterator

from mlgate.checks.dependencies.manifest import REQUIREMENTS, Include, Reading, Unreadable
from mlgate.checks.dependencies.manifests._entries import Entries
from mlgate.core.limits import Limits

FORMAT = "setup.cfg"
LOCK = False
NAMES = ("setup.cfg",)
# Many tools keep their settings there.
MARK = rb"(?m)^\s*(?:install_requires|tests_require|setup_requires)\s*[=:]|^\s*\[options\.extras_require\]"

_SECTION = r"^\[([^\]]+)\]"
_KEY = r"^([^=:\s][^=:]*?)\s*[=:]\s*(.*)$"
_BUILD = "build"
_LISTS = {"install_requires": None, "tests_require": "extra tests", "setup_requires": _BUILD}
_EXTRAS = "options.extras_require"


def claims(path: str) -> bool:
    """``setup.cfg``, wherever it lies."""
    return path.rpartition("/")[2] in NAMES


def read(data: bytes, limits: Limits) -> Reading:
    """Read ``install_requires``, its like, and every extra; ``file:`` is followed.

    Raises:
        Unreadable: It is not text in UTF-8.
    """
    try:
        text = data.decode("utf-8-sig")
    except ValueError as error:
        raise Unreadable("unparseable", "is not text in UTF-8; save it as UTF-8") from error
    entries = Entries(limits)
    for section, key, value, line in _values(text):
        if section == _EXTRAS:
            _value(value, line, f"extra {key}", entries)
        elif section == "options" and key in _LISTS:
            _value(value, line, _LISTS[key], entries)
    return entries.reading()


def _values(text: str) -> Iterator[tuple[str, str, str, int]]:
    """Yield (section, key, value, line) for each line of each value."""
    section = key = ""
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if not bare or bare[0] in "#;":
            continue
        if line[0].isspace() and key:
            yield section, key, bare, number
        elif found := re.match(_SECTION, line):
            section, key = found[1], ""
        elif found := re.match(_KEY, line):
            key = found[1].lower().replace("-", "_") if section == "options" else found[1]
            yield section, key, found[2].strip(), number


def _value(value: str, line: int, condition: str | None, entries: Entries) -> None:
    if value.startswith("file:"):
        for path in value.removeprefix("file:").split(","):
            entries.include(Include(path.strip(), line, REQUIREMENTS))
    elif value.startswith("attr:"):
        message = "takes its requirements from Python code, which is not run; write them out"
        entries.problem("dynamic-dependencies", message, line)
    elif value:
        for part in _parts(value):
            # What only builds says nothing of what the project runs; a pinned one is audited.
            if condition != _BUILD or "==" in part:
                entries.line(part, line, condition)


def _parts(value: str) -> list[str]:
    """Split what setuptools splits: a line of requirements between semicolons, none of them a marker."""
    if "'" in value or '"' in value:
        return [value]
    return [part for part in map(str.strip, value.split(";")) if part]
