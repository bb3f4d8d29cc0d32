"""Commands of scripts, build files and pipelines that fetch and run, or that hide what they run.

DVC and MLflow run the commands of their stages, Cog and Docker those of a build, editors and containers
for development those of their tasks: whoever reproduces the model runs them too.
"""

import re
from collections.abc import Iterator
from functools import cache

from mlgate.checks.models.configs._shell_words import commands
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.stream import printable
from mlgate.checks.models.tables import is_text
from mlgate.checks.models.text import line_of, read_text
from mlgate.core.facts import Fact
from mlgate.core.limits import Limits

FORMAT = "shell-commands"
KIND = "aside"
ORDER = 80

# What people write down for a shell, where a download that is run is nothing new.
_SCRIPTS = (".sh", ".bash", ".zsh", ".ksh", ".command", "makefile", "justfile", ".mk", "snakefile", ".envrc")
_PIPELINES = (".yaml", ".yml", ".toml", ".cfg", ".ini", "mlproject", "modelfile")
# Other JSON holds data, of which commands may be a part.
_JSON = frozenset(
    (
        "devcontainer.json",
        "tasks.json",
        "launch.json",
        "mcp.json",
        ".mcp.json",
        "package.json",
        "settings.json",
    )
)
_LARGEST = 1 << 20
_MOST = 20


def sniff(blob: Blob) -> bool:
    """Go by the name, and by the line that says which shell a script is for."""
    name = blob.name
    named = name.endswith((*_SCRIPTS, *_PIPELINES)) or name in _JSON or name.startswith("dockerfile")
    shell = blob.head[:2] == b"#!" and b"sh" in blob.head[:60].partition(b"\n")[0]
    return 0 < blob.size <= _LARGEST and (named or shell) and not blob.tentative and is_text(blob.head)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact]:
    """Yield the commands, a few of each kind.

    Raises:
        Declined: There is none.
    """
    del clock
    if blob.size > limits.text_bytes:
        raise Declined
    text = read_text(blob, limits).replace("\\\n", " ")
    known = blob.name.endswith(_PIPELINES) or blob.name in _JSON
    found = False
    for what, pattern in commands().items():
        for number, match in enumerate(pattern.finditer(text)):
            start = text.rfind("\n", 0, match.start()) + 1
            if number >= _MOST:
                break
            if text[start : match.start()].lstrip().startswith("#"):
                continue
            found = True
            line = line_of(text, match.start())
            yield blob.fact("config.command", what, line=line, text=printable(match[0], 200), pipeline=known)
    for match in _inline().finditer(text):
        found = True
        line = line_of(text, match.start())
        yield blob.fact("config.command", "inline", line=line, text=printable(match[0], 200), pipeline=known)
    if not found:
        raise Declined


@cache
def _inline() -> re.Pattern[str]:
    # A command within a command: source on the command line that starts a program or hides what it runs.
    return re.compile(
        r"\bpython[\d.]*\s+(?:-\w+\s+){0,3}-c\s*[^\n]{0,300}?"
        r"(?:\bos\s*\.\s*(?:system|popen|exec\w+|spawn\w+)|\bsubprocess\s*\.|\bpty\s*\.\s*spawn"
        r"|\b(?:exec|eval)\s*\(\s*(?:__import__|base64|zlib|codecs|bytes|urllib|requests)"
        r"|__import__\s*\(\s*\\?['\"](?:os|subprocess|socket|pty))[^\n]{0,200}"
    )
