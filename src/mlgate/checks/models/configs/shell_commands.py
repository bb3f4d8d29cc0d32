"""Commands of scripts, build files and pipelines that fetch and run, or that hide what they run.

DVC and MLflow run the commands of their stages, Cog and Docker those of a build, editors and containers
for development those of their tasks: whoever reproduces the model runs them too.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache

from mlgate.checks.models.configs._shell_words import WORDS, commands
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.search import comments, found
from mlgate.checks.models.stream import printable
from mlgate.checks.models.tables import is_text
from mlgate.core.facts import Fact
from mlgate.core.limits import Limits

FORMAT = "shell-commands"
KIND = "aside"
ORDER = 80

# What people write down for a shell, where a download that is run is nothing new.
_SCRIPTS = (
    ".sh", ".bash", ".zsh", ".ksh", ".command", "makefile", "justfile", ".mk", "snakefile", ".envrc", ".ps1",
    ".bat", ".cmd",
)  # fmt: skip
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
# Source whose texts may be commands, or speak of them: only what nobody should fetch is told.
_SOURCE = (".py", ".pyw", ".r", ".rs", ".js", ".ts", ".jl", ".pl", ".rb", ".lua")
_IN_SOURCE = ("download", "hidden", "sends", "connection")
# Weights: a script under such a name is there to be run as what it is not.
_WEIGHTS = (
    ".bin", ".pt", ".pth", ".ckpt", ".safetensors", ".onnx", ".h5", ".hdf5", ".keras", ".pkl", ".pickle",
    ".npy", ".npz", ".gguf", ".weights", ".model", ".dat", ".tflite", ".pb", ".joblib", ".params", ".msgpack",
)  # fmt: skip
# Of Python on a command line, these.
_INLINE = ("python", "shell(", "pipe:")
# Where comments begin otherwise than with ``#``. In JSON nothing but a comment begins with ``//``; in other
# languages a line of a text of several lines may, and no line is passed by.
_SLASHES = ".json"
_NO_COMMENTS = (".js", ".ts", ".rs", ".lua")


def sniff(blob: Blob) -> bool:
    """Go by the name, and by the line that says which shell a script is for."""
    name = blob.name
    named = (
        name.endswith((*_SCRIPTS, *_PIPELINES, *_SOURCE)) or name in _JSON or name.startswith("dockerfile")
    )
    started = _shebang().match(blob.head) is not None
    return not blob.tentative and (started or (named and is_text(blob.head)))


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact]:
    """Yield the commands, each once.

    Raises:
        Declined: There is none.
        LimitReached: There are too many, or there is too much to look at.
    """
    role = "source" if blob.name.endswith(_SOURCE) else "pipeline" if _is_pipeline(blob.name) else "script"
    said = blob.name.endswith(_WEIGHTS)
    if said:
        text = printable(blob.head[:80].decode("utf-8", "replace"))
        yield blob.fact("config.command", "disguised", line=1, text=text, role=role)
    patterns = {**commands(), **_inline()}
    if role == "source":
        # Its texts may speak of commands: only what is never said for another purpose counts.
        patterns = {what: pattern for what, pattern in commands().items() if what in _IN_SOURCE}
    mark = "//" if blob.name.endswith(_SLASHES) else "#"
    passed_by = None if blob.name.endswith(_NO_COMMENTS) else comments(mark)
    words = {**WORDS, **dict.fromkeys(_inline(), _INLINE)}
    for each in found(blob, patterns, limits, clock, words=words, continued=True, passed_by=passed_by):
        said = True
        shown = printable(each.match[0], 200)
        yield blob.fact("config.command", each.what, line=each.line, text=shown, role=role)
    if not said:
        raise Declined


def _is_pipeline(name: str) -> bool:
    return name.endswith(_PIPELINES) or name in _JSON


@cache
def _shebang() -> re.Pattern[bytes]:
    return re.compile(rb"#![ \t]*/[\w./ \t-]{0,60}\b(?:sh|bash|zsh|dash|ksh|python[\d.]*|perl|ruby|node)\b")


@cache
def _inline() -> Mapping[str, re.Pattern[str]]:
    # Source on a command line that starts a program, or hides what it runs.
    start = r"\bpython[\d.]*\s+(?:-\w+\s+){0,3}-c\s*"
    return {
        # Defaults of Intake's parameters, and addresses of WebDataset's, that are more than a command.
        "parameter": re.compile(r"\bdefault:\s*[\"']?shell\([^\n]{1,200}"),
        "pipe": re.compile(r"\bpipe:[^\n\"']{0,200}(?:;|&&|>\s*[/~]|\|\s*(?:ba|z|da)?sh\b)[^\n]{0,200}"),
        "encoded": re.compile(
            rf"{start}(?=[^\n]{{0,300}}?\b(?:exec|eval)\s*\()"
            r"(?=[^\n]{0,400}?(?:b64decode|decompress|fromhex|unhexlify|base64|urlopen|requests\.|\bget\())"
            r"[^\n]{0,400}"
        ),
        "inline": re.compile(
            rf"{start}(?=[^\n]{{0,300}}?(?:\bos\s*\.\s*(?:system|popen|exec\w+|spawn\w+)|\bsubprocess\s*\."
            r"|\bpty\s*\.\s*spawn|__import__\s*\(\s*\\?['\"](?:os|subprocess|socket|pty)))[^\n]{0,400}"
        ),
    }
