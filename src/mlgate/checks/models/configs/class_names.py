"""Configurations of many frameworks that name a class or function to import, each by a key of its own.

``logging.config`` imports what stands under ``()``, spaCy and Thinc what stands under ``@loggers``,
Kedro ``type``, Ray Serve ``import_path``, gin what follows an ``@``. Who reads a file is not known, and
need not be: what is said here is which functions of Python's own are named under such keys.
"""

import re
from collections.abc import Iterator
from functools import cache

from mlgate.checks.models.configs import _yaml
from mlgate.checks.models.configs._effects import acts
from mlgate.checks.models.configs._scalars import scalars
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.stream import printable
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "class-names"
KIND = "text"
ORDER = 70

_KEYS = frozenset(
    ("()", "_class_", "_cls_", "__class__", "__class", "_type_", "__type__", "_obj_", "_callable_",
     "_factory_", "builder", "callable", "callback", "class", "class_name", "classname", "cls",
     "constructor", "entry_point", "entrypoint", "factory", "fn", "func", "function", "handler", "hook",
     "import_path", "initializer", "kind", "loader", "method", "object", "type", "typ")
)  # fmt: skip
# The same as the last word of a key: `python_callable`, `loss_fn`.
_ENDS = ("callable", "callback", "function", "_func", "_fn", "_cls", "_class", "handler", "_hook", "factory")
# A reader of its own looks at these, and at the keys of jsonpickle.
_OTHERS = ("activation_function",)
# What stands below these is looked up and called, whatever its own key: Haystack's filters.
_FILTERS = frozenset(("custom_filters",))
# These are read line by line: `key = name`.
_LINES = (".toml", ".ini", ".cfg", ".conf", ".gin", ".properties")
_LONGEST = 200
# What a name does, by the table of effects, that no honest configuration has called.
_GRAVE = ("executes", "evaluates", "imports", "native")


def sniff(blob: Blob) -> bool:
    """Any text may be YAML or JSON; others are known by their names."""
    return _yaml.could_be_yaml(blob) or blob.name.endswith(_LINES)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield each name of Python's own that stands under a key that means an import, once.

    Raises:
        Declined: There is none.
        LimitReached: The text is too long, or nested too deep.
    """
    text = _yaml.text_with(blob, _worth, limits, clock)
    found: dict[str, tuple[str, int]] = {}
    try:
        for key, value, line in _by_line(text) if blob.name.endswith(_LINES) else _by_key(blob, text, clock):
            name = value.strip().removeprefix("ext://").replace(":", ".")
            if len(name) <= _LONGEST and (_name().fullmatch(name) or name in _acting()):
                found.setdefault(name, (key, line))
    except ValueError:
        raise Declined from None
    if not found:
        raise Declined
    for name, (key, line) in found.items():
        clock.spend("facts", 1, limits.facts)
        act = acts().get(name, "")
        yield blob.fact("config.class-name", name, line=line, key=printable(key, _LONGEST), act=act)


def _by_key(blob: Blob, text: str, clock: Clock) -> Iterator[tuple[str, str, int]]:
    # The list of a sentence transformer's modules has a reader of its own.
    modules = blob.name.endswith("modules.json") or (blob.head.lstrip()[:1] == b"[" and '"idx"' in text)
    for scalar in scalars(blob, text, clock):
        if modules and len(scalar.path) == 3 and scalar.path[-1] == "type":
            continue
        key = str(scalar.path[-1])
        if _imports(key) or _FILTERS.intersection(scalar.path[:-1]):
            yield key, scalar.value, scalar.line


def _by_line(text: str) -> Iterator[tuple[str, str, int]]:
    for number, line in enumerate(text.splitlines(), 1):
        found = _assigned().match(line)
        if found is not None:
            key, value = found["key"].strip("\"' "), found["value"].strip().strip("\"'")
            if _imports(key):
                yield key, value, number
        for name in _configurable().finditer(line.partition("#")[0]):
            yield "@", name[1], number


def _imports(key: str) -> bool:
    """Say whether what stands under a key is the name of something to import."""
    lower = key.lower()
    ends = lower.endswith(_ENDS) and lower not in _OTHERS and not lower.startswith("py/")
    return ends or lower in _KEYS or key.startswith("@")


@cache
def _name() -> re.Pattern[str]:
    # There are subprocesses and pickles of other kinds.
    return re.compile(
        # Modules pass modules on: logging.os.system.
        r"(?:(?:\w+\.){0,8}_?(?:os|builtins)\.\w+"
        r"|(?:posix|nt|__builtin__|__builtins__|pty|runpy|webbrowser|asyncio)\.\w+"
        r"|logging\.handlers\.(?:HTTP|Socket|Datagram|SMTP)Handler"
        r"|(?:\w+\.){0,8}_?subprocess\.(?:Popen|run|call|check_call|check_output|getoutput|getstatusoutput)"
        r"|(?:pickle|_pickle|cPickle|dill|cloudpickle|marshal)\.(?:loads?|Unpickler)"
        r"|shutil\.(?:rmtree|move|copy\w*|unpack_archive))"
        r"(?:\.\w+)*"
    )


@cache
def _acting() -> frozenset[str]:
    return frozenset(name for name, act in acts().items() if act in _GRAVE and not name.endswith("*"))


def _worth(text: str) -> bool:
    """Say whether one of the names may stand in a text: most have none, which is told at once."""
    return any(word in text for word in _words()) and _telling().search(text) is not None


@cache
def _words() -> frozenset[str]:
    roots = {name.partition(".")[0] for name in _acting()}
    known = {"os", "posix", "nt", "subprocess", "__builtin", "pty", "runpy", "ickle", "dill", "marshal"}
    modules = roots | known | {"builtins", "shutil", "webbrowser", "asyncio"}
    return frozenset(f"{module}{mark}" for module in modules for mark in ".:") | {
        "handlers.",
        "__.",
        "__:",
        "\\",
    }


@cache
def _telling() -> re.Pattern[str]:
    # One of these modules, whatever it is asked for, or a letter as an escape.
    names = "|".join(re.escape(name).replace(r"\.", "[.:]") for name in sorted(_acting()))
    return re.compile(
        rf"\b(?:{names})\b|"
        r"\bhandlers\.(?:HTTP|Socket|Datagram|SMTP)H"
        r"|\b_?(?:os|posix|nt|subprocess|__builtins?__|builtins|pty|runpy|\w?[pP]ickle|dill|cloudpickle"
        r"|marshal|shutil|webbrowser|asyncio)[.:]\w|\\(?:x|u00|U000000)[2-7]"
    )


@cache
def _assigned() -> re.Pattern[str]:
    return re.compile(r"\s*(?P<key>[\w@\"'().-]{1,100}?)\s*[=:]\s*(?P<value>[^#;]{1,300})")


@cache
def _configurable() -> re.Pattern[str]:
    return re.compile(r"=\s*@(?:\w+/){0,20}((?:\w+\.){1,20}\w+)")
