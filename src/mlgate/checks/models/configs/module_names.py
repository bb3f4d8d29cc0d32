"""The modules that a configuration names, whatever the key: Python source beside it may be one of them.

gin imports what follows ``import``, MMEngine what stands under ``custom_imports``, monty what
``@module`` says, fairseq a ``user_dir``, Kedro and Haystack a ``type``; every framework has a key of its
own. So it is not asked which framework reads the file: where source does more than compute when it is
imported, and a configuration beside it names that source, it is imported.
"""

import re
import sys
from collections.abc import Iterator
from functools import cache

from mlgate.checks.models.configs import _yaml
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.stream import CHUNK, read_at
from mlgate.checks.models.tables import is_text
from mlgate.core.facts import Fact
from mlgate.core.limits import Limits

FORMAT = "module-names"
KIND = "aside"
ORDER = 80

_SUFFIXES = (
    ".yaml", ".yml", ".json", ".toml", ".ini", ".cfg", ".conf", ".config", ".gin", ".properties", ".hocon",
    ".jsonnet", ".libsonnet", ".json5", ".py",
)  # fmt: skip
_PLAIN = frozenset(("mlmodel", "mlproject", "config", "procfile"))
# What a match may reach over, where one piece of a long text ends and the next begins.
_OVERLAP = 1 << 10
_MOST = 20_000
# Names that honest configurations hold by the thousand, and that are those of files and numbers.
_FILES = frozenset(
    (
        "json", "jsonl", "yaml", "yml", "toml", "txt", "md", "csv", "tsv", "bin", "safetensors", "pt", "pth",
        "ckpt", "onnx", "gguf", "h5", "keras", "pkl", "pickle", "joblib", "npy", "npz", "parquet", "arrow",
        "model", "png", "jpg", "jpeg", "wav", "zip", "tar", "gz", "msgpack", "jinja", "html", "log",
        "vocab", "py", "js", "sh",
    )
)  # fmt: skip
# What a key has in it that speaks of modules.
_KEYS = (
    "import", "module", "plugin", "package", "librar", "extension", "user_dir", "handler", "register",
    "_base_", "class_path", "python_path", "instance_type",
)  # fmt: skip
# Of configurations that are source themselves.
_KEYS_OF_SOURCE = ("imports", "_base_", "plugins")
_LONGEST = 120
_PATH_SIGNS = frozenset(".-")
# Scripts that a configuration has run in so many words, and does not import.
_SCRIPTS = frozenset(
    (
        "train", "main", "run", "eval", "evaluate", "test", "setup", "prepare", "download", "preprocess",
        "demo", "app", "convert", "export", "finetune", "predict", "benchmark",
    )
)  # fmt: skip


def sniff(blob: Blob) -> bool:
    """Go by the name; lists of plugins, and some of the old files, have no extension."""
    named = blob.name.endswith((*_SUFFIXES, ".md", "plugins")) or blob.name in _PLAIN
    # Spark writes what a stage of a pipeline is into a part of a table.
    named = named or (blob.name.startswith("part-") and b'"sparkVersion"' in blob.head)
    return bool(blob.size) and named and not blob.tentative and is_text(blob.head)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact]:
    """Yield the names of modules, once each, in one fact.

    Raises:
        Declined: There is none.
    """
    del limits
    # The module that SpeechBrain imports beside its configuration, unless another is asked for.
    names: set[str] = {"custom"} if blob.name == "hyperparams.yaml" else set()
    if blob.name == "meta.json" and b"spacy_version" in blob.head:
        # The package that a pipeline of spaCy's is installed as.
        names.add("__init__")
    # What a model card has its readers import.
    only_imports = blob.name.endswith(".md")
    source = blob.name.endswith(".py")
    for start in range(0, blob.size, CHUNK):
        clock.check()
        part = read_at(blob.stream, start, CHUNK + _OVERLAP)
        # In UTF-16 there is a zero between the letters.
        text = part.replace(b"\0", b"").decode("utf-8", "replace")
        if _yaml.escaped(text):
            text = _escape().sub(lambda found: chr(int(found[1] or found[2], 16)), text)
        if only_imports:
            names.update(found[1] for found in _import().finditer(text))
            continue
        if blob.name == "pyproject.toml":
            names.update(_backend(text))
        names.update(_named(text, listed=blob.size <= CHUNK and blob.name.endswith("plugins"), source=source))
        if len(names) > _MOST:
            break
    if not names:
        raise Declined
    yield blob.fact("config.modules", names=sorted(names)[:_MOST], more=len(names) > _MOST)


def _named(text: str, *, listed: bool, source: bool) -> Iterator[str]:
    if not source:
        for name in _dotted(text):
            parents, _, last = name.rpartition(".")
            if last not in _FILES and name.partition(".")[0] not in sys.stdlib_module_names:
                yield name
                yield parents
        yield from (found[1] for found in _colon().finditer(text))
        # A text without these is told so at the speed of the disk.
        for found in _path().finditer(text) if ".py" in text else ():
            if found[1].rpartition("/")[2] not in _SCRIPTS:
                plain = found[1].removeprefix("./")
                # What is no name of a module is a path, as configurations that are source have them.
                yield plain.replace("/", ".") if not _PATH_SIGNS.intersection(plain) else f"{plain}.py"
    elif "_base_" in text:
        for found in _bases().finditer(text):
            yield from (each.removeprefix("./") for each in _base().findall(found[1]))
    lower = text.lower()
    keyed = _under_key(source)
    for found in keyed.finditer(text) if any(word in lower for word in _KEYS) else ():
        for word in _words().findall(found[1]):
            if word not in _SCRIPTS and word not in sys.stdlib_module_names:
                yield word.rstrip(".")
    if listed or (not source and "import" in text):
        lines = _line() if listed else _import()
        yield from (found[1] for found in lines.finditer(text))


def _backend(text: str) -> Iterator[str]:
    """Yield the module that builds a project, where it lies in the project itself."""
    backend, places = _build_backend().search(text), _backend_path().search(text)
    if backend is not None and places is not None:
        module = backend[1].partition(":")[0]
        for folder in _words().findall(places[1]) or [""]:
            yield f"{folder}.{module}"
        yield module


def _dotted(text: str) -> Iterator[str]:
    """Yield the dotted names that are the whole of a value, or stand before a colon: `a.module:Class`."""
    end = 0
    for dot in _dot().finditer(text):
        if dot.start() < end:
            continue
        before = text[max(dot.start() - _LONGEST, 0) : dot.start()]
        first = _last_word().search(before)
        found = _rest().match(text, dot.start())
        if first is not None and found is not None:
            end = found.end()
            yield f"{first[1]}{found[0]}"


@cache
def _dot() -> re.Pattern[str]:
    return re.compile(r"\.[A-Za-z_]")


@cache
def _last_word() -> re.Pattern[str]:
    # gin has scopes in front of names: `@train/package.function`.
    return re.compile(r"(?:^|[\s\"'=@:\[,(!]|@[\w/]{1,60}/)([A-Za-z_]\w*)\Z")


@cache
def _rest() -> re.Pattern[str]:
    return re.compile(r"(?:\.[A-Za-z_]\w{0,80}){1,15}(?=\Z|[\s\"',:\])};#(])")


@cache
def _bases() -> re.Pattern[str]:
    return re.compile(r"^_base_[ \t]*=[ \t]*([^=]{1,2000})", re.MULTILINE)


@cache
def _base() -> re.Pattern[str]:
    return re.compile(r"[\"']([\w./-]{1,200}\.py)[\"']")


@cache
def _build_backend() -> re.Pattern[str]:
    return re.compile(r"^[ \t]*build-backend[ \t]*=[ \t]*[\"']([\w.:]{1,200})[\"']", re.MULTILINE)


@cache
def _backend_path() -> re.Pattern[str]:
    return re.compile(r"^[ \t]*backend-path[ \t]*=[ \t]*\[([^\]]{0,300})\]", re.MULTILINE)


@cache
def _colon() -> re.Pattern[str]:
    # `service: module:name`, as servers write it.
    return re.compile(
        r"[:=][ \t]{1,4}[\"']?([A-Za-z_]\w{0,80}):[A-Za-z_]\w{0,80}[\"']?[ \t]*,?\r?$", re.MULTILINE
    )


@cache
def _path() -> re.Pattern[str]:
    return re.compile(
        r"(?:^|(?<=[\"'=:\[,(])|[:=\-\"'][ \t]{1,4})((?:\./)?[\w.][\w./-]{0,200})\.py(?=$|[\s\"',:\]#])",
        re.MULTILINE,
    )


@cache
def _under_key(source: bool) -> re.Pattern[str]:  # noqa: FBT001 - a key of the cache
    # The key, and a word, a list of words in brackets, or lines of them. In source only texts are names.
    quote = r"[\"']" if source else r"[\"']?"
    value = rf"{quote}(?:\./)?[A-Za-z_][\w.]{{0,120}}/?{quote}"
    return re.compile(
        rf"(?:{'|'.join(_KEYS_OF_SOURCE if source else _KEYS)})\w{{0,20}}[\"']?[ \t]{{0,4}}[:=(][ \t]{{0,4}}"
        rf"((?:[\[(]\s{{0,40}})?{value}(?:\s{{0,40}},\s{{0,40}}{value}){{0,50}}"
        rf"|(?:\r?\n[ \t]{{0,20}}-[ \t]{{1,4}}{value}){{1,50}})",
        re.IGNORECASE,
    )


@cache
def _words() -> re.Pattern[str]:
    return re.compile(r"[A-Za-z_][\w.]*")


@cache
def _line() -> re.Pattern[str]:
    return re.compile(r"^[ \t]*([A-Za-z_][\w.]{0,120})[ \t]*$", re.MULTILINE)


@cache
def _import() -> re.Pattern[str]:
    # gin's own statement.
    return re.compile(r"^[ \t]*(?:import|from)[ \t]+([A-Za-z_][\w.]{0,120})", re.MULTILINE)


@cache
def _escape() -> re.Pattern[str]:
    return re.compile(r"\\(?:u00|U000000)([2-7][0-9A-Fa-f])|\\x([2-7][0-9A-Fa-f])")
