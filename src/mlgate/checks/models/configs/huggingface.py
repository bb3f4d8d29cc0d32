"""Configurations of the Hugging Face libraries: what they have loaded, imported and run.

transformers, diffusers, sentence-transformers and PEFT take names of classes, of modules and
of other repositories from JSON files, at any depth. Chat templates are handed back, and so are
LangChain's prompts that are templates of Jinja.
"""

import io
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from msgspec import Struct

from mlgate.checks.models.configs import _huggingface_keys as keys
from mlgate.checks.models.json_members import Malformed, Member, begins_json, members, mentions
from mlgate.checks.models.paths import escape
from mlgate.checks.models.reader import Blob, Clock, Declined, LimitReached
from mlgate.checks.models.secrets import secret_facts
from mlgate.checks.models.stream import member, printable
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "huggingface-config"
KIND = "text"
ORDER = 60

_INDEX = "model_index.json"
# Of sentence-transformers, which asks for these names.
_MODULES = ("modules.json", "router_config.json")
_MOST_PARTS = 1000


def sniff(blob: Blob) -> bool:
    """Look for the beginning of a JSON document."""
    return begins_json(blob.head)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield what the document has a library load or run, and the templates in it.

    Raises:
        Declined: It says nothing to these libraries, or is no JSON.
        LimitReached: It is longer than ``limits.text_bytes``, or nested too deep.
    """
    text = keys.telling(blob, limits, clock, always=blob.name.endswith((_INDEX, *_MODULES)))
    reading = _Reading(blob, text, limits, clock)
    said = False
    try:
        for item in reading.items():
            said = True
            yield item
    except Malformed as malformed:
        # Its loader cannot read it either.
        if not said:
            raise Declined from malformed
    if reading.is_model:
        for fact in secret_facts(blob, text, line=1):
            said = True
            yield fact
    if not said and not reading.listed:
        raise Declined


class _Pair(Struct):
    """Library and class of a diffusers component, and the line they stand in."""

    library: object = None
    name: object = None
    line: int = 1


class _Reading:
    """The walk over one document, flat.

    Attributes:
        is_model: True where it is a model's, a tokenizer's or a pipeline's configuration.
        is_index: True where it may say of which classes a pipeline is made.
        listed: True where it does.
    """

    def __init__(self, blob: Blob, text: str, limits: Limits, clock: Clock) -> None:
        self._blob, self._text = blob, text
        self._limits, self._clock = limits, clock
        self._line, self._at = 1, 0
        self._pairs: dict[str, _Pair] = {}
        self._crowded = False
        self._modules = blob.name.endswith(_MODULES) or '"idx"' in text
        self._routes = mentions(text, ('"types"',)) and mentions(text, ('"structure"',))
        self._seen: set[tuple[str, str]] = set()
        self.is_model = False
        self.is_index = blob.name.endswith(_INDEX)
        self.listed = False
        self._trusted: list[int] = []
        self._prompts: list[Member] = []
        self._jinja = False

    def items(self) -> Iterator[Fact | Blob]:
        """Yield everything that is to be said.

        Raises:
            Malformed: The text is no JSON document.
        """
        for each in members(self._text, self._clock):
            key = each.key
            if len(each.path) == 1 and key in keys.MODEL:
                self.is_model = True
            if each.value is None or not isinstance(key, str | int):
                continue
            yield from self._member(each)
        for line in self._trusted:
            yield self._blob.fact(
                "huggingface.trust",
                "trust_remote_code",
                line=line,
                model=self.is_model,
                container=self._blob.container,
            )
        if self._jinja:
            for each in self._prompts:
                self._clock.spend("facts", 1, self._limits.facts)
                yield self._jinja_member(each)
        if self.is_index:
            yield from self._components()
            if self._crowded:
                raise LimitReached("facts")

    def _member(self, each: Member) -> Iterator[Fact | Blob]:
        path, value = each.path, each.value
        names = [step for step in path if isinstance(step, str)]
        last = names[-1] if names else ""
        if len(path) == 2 and isinstance(path[0], str) and isinstance(path[1], int):
            self._note(path[0], path[1], each)
        if last == "trust_remote_code":
            if value is True or value == 1 or (isinstance(value, str) and value.lower() not in ("", "false")):
                self._trusted.append(self._line_of(each))
        elif not isinstance(value, str):
            return
        elif last == "_class_name" and len(path) == 1:
            self.is_index = self.is_index or value.endswith("Pipeline")
            self.listed = self.is_index
        elif "auto_map" in names or (last == "impl" and "custom_pipelines" in names):
            yield from self._code(each, "auto_map" if "auto_map" in names else "custom_pipelines")
        elif last == "custom_pipeline":
            yield from self._class(each, value, last)
        elif any(name in keys.KERNELS for name in names):
            if _kernel().fullmatch(value.rpartition("|")[2]):
                yield from self._once("huggingface.kernel", value, each, key=last)
        elif "chat_template" in names or last == "chat_templates":
            yield from self._template(each)
        elif last == "template_format":
            self._jinja = self._jinja or value == "jinja2"
        elif last in keys.PROMPTS and "{" in value:
            # The format may be said behind them.
            if len(self._prompts) <= self._limits.facts:
                self._prompts.append(each)
        elif "chat_template" not in names and _imports().search(value) is not None:
            # Behind a dollar it is an expression of MONAI's, and no other program can evaluate it.
            if not value.startswith("$"):
                yield from self._once("huggingface.evaluated", value, each, key=last)
        elif last in keys.EVALUATED:
            if not _sum().fullmatch(value):
                yield from self._once("huggingface.evaluated", value, each, key=last)
        elif last.endswith(keys.NUMERIC_ENDS) or last.startswith(keys.NUMERIC_STARTS):
            if self.is_model and keys.code().search(value) is not None:
                yield from self._once("huggingface.evaluated", value, each, key=last)
        elif names and names[0] == "weight_map" and len(path) == 2:
            yield from self._path(each, value, "weight_map")
        elif last in keys.INDEXES and self.is_model:
            # An absolute path is that of the machine where it was trained; one of a server is fetched.
            if escape(value) == "parent" or value.startswith(("//", "\\\\")):
                yield from self._path(each, value, last)
        else:
            yield from self._sentence_transformers(each, last)

    def _sentence_transformers(self, each: Member, last: str) -> Iterator[Fact]:
        value = str(each.value)
        if len(each.path) == 2 and isinstance(each.path[0], int):
            # modules.json: a list of modules.
            if last == "type" and self._modules and _dotted().fullmatch(value):
                yield from self._class(each, value, "type")
            elif last == "path" and self._modules:
                yield from self._path(each, value, "path")
        elif self._routes and len(each.path) == 2 and each.path[0] == "types" and _dotted().fullmatch(value):
            # Of a module that chooses among others.
            yield from self._class(each, value, "types")
        elif _dotted().fullmatch(value) if last in keys.ACTIVATIONS else _is_parent(each):
            yield from self._class(each, value, last)

    def _code(self, each: Member, key: str) -> Iterator[Fact]:
        """Say which module's class is loaded instead of the library's own, and from where."""
        value = str(each.value)
        if "." not in value:
            return
        repository, found, name = value.rpartition("--")
        odd = escape(name.partition(".")[0]) is not None or "/" in name
        yield from self._once(
            "huggingface.auto-map",
            value,
            each,
            key=key,
            remote=bool(found),
            odd=odd,
            repository=printable(repository, 100),
        )

    def _class(self, each: Member, value: str, key: str) -> Iterator[Fact]:
        remote = "--" in value or (key == "custom_pipeline" and "/" in value)
        yield from self._once("huggingface.class", value, each, key=key, remote=remote, module=False)

    def _path(self, each: Member, value: str, key: str) -> Iterator[Fact]:
        how = escape(value)
        if how is not None:
            yield from self._once("huggingface.path", value, each, key=key, how=how)

    def _template(self, each: Member) -> Iterator[Fact | Blob]:
        value = str(each.value)
        if each.key == "name":
            # Saving a tokenizer makes a file of this name (CVE-2026-9856).
            yield from self._path(each, value, "chat_template")
            return
        # One template, or several by their names.
        how = escape(each.key) if isinstance(each.key, str) and each.key != "chat_template" else None
        if how is not None:
            yield from self._once("huggingface.path", str(each.key), each, key="chat_template", how=how)
        if "{" in value:
            yield self._jinja_member(each)

    def _jinja_member(self, each: Member) -> Blob:
        data = str(each.value).encode("utf-8", "surrogatepass")
        name = "/".join(str(step) for step in each.path)
        return member(
            self._blob, f"{name}/chat_template.jinja", io.BytesIO(data), len(data), container=FORMAT
        )

    def _note(self, component: str, place: int, each: Member) -> None:
        if place > 2 or (component not in self._pairs and place):
            return
        if component not in self._pairs and len(self._pairs) >= _MOST_PARTS:
            self._crowded = True
            return
        pair = self._pairs.setdefault(component, _Pair(line=self._line_of(each)))
        if place == 0:
            pair.library = each.value
        elif place == 1:
            pair.name = each.value
        else:
            # A list of something else.
            pair.library = None

    def _components(self) -> Iterator[Fact]:
        """Say of which classes a pipeline is made."""
        for component, pair in self._pairs.items():
            if not (isinstance(pair.library, str) and isinstance(pair.name, str)):
                continue
            if not _library().fullmatch(pair.library) or not pair.name.isidentifier():
                continue
            module = component in ("_class_name", "_blocks_class_name")
            subject = printable(f"{pair.library}.{pair.name}", 200)
            yield self._blob.fact(
                "huggingface.class",
                subject,
                line=pair.line,
                key=printable(component, 100),
                remote="--" in subject or "/" in pair.library,
                module=module,
                container=self._blob.container,
            )

    def _once(self, kind: str, subject: str, each: Member, **detail: Any) -> Iterator[Fact]:
        shown = printable(subject, 200)
        if (kind, shown) not in self._seen and len(self._seen) <= self._limits.facts:
            self._seen.add((kind, shown))
            line = self._line_of(each)
            yield self._blob.fact(kind, shown, line=line, container=self._blob.container, **detail)

    def _line_of(self, each: Member) -> int:
        self._line += self._text.count("\n", self._at, each.offset)
        self._at = each.offset
        return self._line


def _is_parent(each: Member) -> bool:
    return each.key == "parent_library" and "auto_mapping" in each.path


@cache
def _library() -> re.Pattern[str]:
    # Modules are in lower case, or paths; a list of two classes is something else.
    return re.compile(r"[a-z_][\w.]*|\S*[./-]\S*", re.ASCII)


@cache
def _imports() -> re.Pattern[str]:
    return re.compile(r"\b__import__\s*\(\s*[\"'](?:os|subprocess|builtins|sys|socket|importlib|pty)\b")


@cache
def _dotted() -> re.Pattern[str]:
    return re.compile(r"[\w/.-]*\w\.\w+", re.ASCII)


@cache
def _kernel() -> re.Pattern[str]:
    # As transformers recognises a repository on the hub.
    return re.compile(r"[^/:]+/[^/:]+(?:@[^/:]+)?(?::[^/:]+)?")


@cache
def _sum() -> re.Pattern[str]:
    # Lists of numbers, repeated and added: [(512, 10, 5)] + [(512, 3, 2)] * 4.
    return re.compile(r"[\d\s()\[\],.+*eE-]*")
