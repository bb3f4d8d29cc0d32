"""Keras configurations: what a model says that its loader is to import, call and open.

They are known by their shape, wherever they stand: in a `.keras` archive, an attribute of
an HDF5 file, the metadata of a SavedModel, a model for TensorFlow.js, or a file.
"""

import base64
import binascii
import builtins
import io
import json
import re
from collections.abc import Iterator
from functools import cache
from types import MappingProxyType
from typing import Any

from mlgate.checks.models.configs._keras_names import own, split, tables
from mlgate.checks.models.configs._keras_objects import Described, described
from mlgate.checks.models.json_members import Malformed, begins_json, members, mentions
from mlgate.checks.models.paths import escape
from mlgate.checks.models.reader import Blob, Clock, Declined, LimitReached
from mlgate.checks.models.stream import chunks, member, printable, read_at
from mlgate.checks.models.text import looks_like_text, read_text
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "keras-config"
KIND = "text"
ORDER = 60

# Where nothing else than a configuration is under these names.
_HOLDERS = frozenset({"keras", "hdf5", "savedmodel"})
# Classes whose configuration names an operation of TensorFlow.
_OPERATIONS = frozenset({"TFOpLambda", "ClassMethod", "InstanceMethod"})
# Operations that open a file where one is named.
_OPENING = frozenset({"print", "PrintV2", "fixed_unigram_candidate_sampler", "FixedUnigramCandidateSampler"})
_OPENED = ("file:", "vocab_file")
# Classes that load a whole model from elsewhere.
_FILES = MappingProxyType({"TFSMLayer": "filepath", "KerasLayer": "handle"})
# A path is short, and one line.
_LONGEST_PATH = 4096


def sniff(blob: Blob) -> bool:
    """Say whether it begins like a JSON document."""
    return begins_json(blob.head) and (looks_like_text(blob) or _encoding(blob) != "utf-8")


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield what is not Keras' own, code, files to open, and pickles that are packed into the text.

    Raises:
        Declined: It describes no Keras object.
        LimitReached: The text is too long, or has too much to note.
    """
    if blob.size > limits.text_bytes and not _may_mention(blob, clock):
        raise Declined
    text = _text(blob, limits)
    held = blob.container in _HOLDERS
    # Where a loader takes a configuration from, there must be one that can be read.
    expected = held and not blob.tentative and blob.name.endswith("config.json")
    if not expected and not mentions(text, ("class_name",)):
        raise Declined
    seen = _Seen(blob, text, limits)
    malformed, reached = False, None
    try:
        for each in described(members(text, clock)):
            seen.note(each)
    except Malformed:
        malformed = True
    except LimitReached as limit:
        reached = limit
    if malformed and not (expected or (held and seen.keras)):
        raise Declined
    if reached is None and not malformed and not seen.keras:
        raise Declined
    if seen.keras:
        yield from seen.items()
    if reached is not None:
        raise reached
    if malformed:
        yield blob.not_checked(
            "malformed", "this Keras configuration is no JSON document; save the model again"
        )


def _encoding(blob: Blob) -> str:
    """Return the encoding that json.loads takes bytes for: UTF-16 and UTF-32 need no mark."""
    return json.detect_encoding(blob.head)


def _text(blob: Blob, limits: Limits) -> str:
    if looks_like_text(blob):
        return read_text(blob, limits)
    if blob.size > limits.text_bytes:
        raise LimitReached("text_bytes")
    try:
        return read_at(blob.stream, 0, blob.size).decode(_encoding(blob), "surrogatepass")
    except UnicodeDecodeError:
        raise Declined from None  # no loader can read it either


def _may_mention(blob: Blob, clock: Clock) -> bool:
    """Say whether a long document could describe an object: most are lists of words."""
    tail = b""
    for piece in chunks(blob.stream, 0, blob.size):
        clock.check()
        if _mention().search(tail + piece):
            return True
        tail = piece[-16:]
    return False


class _Seen:
    """What a document says, each thing once."""

    def __init__(self, blob: Blob, text: str, limits: Limits) -> None:
        self._blob, self._text, self._limits = blob, text, limits
        # By kind, subject and what tells two apart: offset, count and details.
        self._facts: dict[tuple[str, str, str], tuple[int, int, dict[str, Any]]] = {}
        self._pickles: list[tuple[str, int]] = []
        self.keras = False

    def note(self, each: Described) -> None:
        """Take note of one object."""
        names = each.texts("class_name")
        for name, offset in names:
            self._claim(each, name)
            if name == "__lambda__":
                self._note("keras.lambda", _where(each), offset)
            for module, _ in each.texts("module") or [("", 0)]:
                self._reference(each, module, name, offset)
            self._class(each, each.config or Described(()), name, offset)
        self._values(each)

    def _claim(self, each: Described, name: str) -> None:
        """Find out whether the document is for Keras at all."""
        if self.keras:
            return
        described_by = [key for key in ("module", "registered_name", "config") if each.has(key)]
        self.keras = bool(described_by) and (
            (not each.path and each.has("module"))
            or len(described_by) > 1
            or self._blob.container in _HOLDERS
            or name in tables().classes
            or name in ("function", "__lambda__", "__typespec__")
        )

    def _reference(self, each: Described, module: str, name: str, offset: int) -> None:
        """Note a class or function, unless Keras itself writes it."""
        if name == "function":
            targets = [(target, True) for target, _ in each.texts("config")]
        elif name == "__typespec__":
            targets = [(target, False) for target, _ in each.texts("spec_name")]
            if module.startswith("tensorflow.python.") and all(one[0].endswith("Spec") for one in targets):
                return
        else:
            targets = [(name, False)]
        for target, function in targets:
            # Keras looks up the two as one: part of the module may stand in the name.
            home, _, last = f"{module}.{target}".rpartition(".") if module else ("", "", target)
            if own(home, last, function=function):
                continue
            place = split(home)
            self._note(
                "keras.reference", _subject(home, last), offset,
                module=home, name=last, function=function, part=None if place is None else place[1],
                family=None if place is None else place[0],
            )  # fmt: skip

    def _class(self, each: Described, config: Described, name: str, offset: int) -> None:
        """Note what classes of Keras do with their own configuration."""
        name = name.rpartition(">")[2]
        if name == "TorchModuleWrapper":
            self._note("keras.pickle", _where(each), offset, layer=name)
            self._pickles += config.texts("module")
        elif name in _OPERATIONS:
            for value, at in config.texts("function"):
                opens = value.rpartition(".")[2] in _OPENING and mentions(self._text, _OPENED)
                self._note("keras.operation", f"{value} of a file" if opens else value, at, layer=name)
        elif name == "TensorFlowOpLayer":
            for value, at in config.texts("node_def"):
                for operation in _operation().findall(value):
                    self._note("keras.operation", operation, at, layer=name)
        elif name in _FILES:
            for value, at in config.texts(_FILES[name]):
                self._path(_FILES[name], value, at, layer=name)
        elif name == "Lambda":
            for _, at in config.texts("function[]"):
                self._note("keras.lambda", _where(each), at)

    def _values(self, each: Described) -> None:
        """Note code in its older form, and files, whatever the class."""
        for key in ("function", "output_shape", "mask"):
            # The code alone, or a list of the code and what belongs to it.
            code = [*each.texts(f"{key}[]"), *each.texts(key)]
            if code and any(value == "lambda" for value, _ in each.texts(f"{key}_type")):
                self._note("keras.lambda", _where(each), code[0][1])
        for key in ("vocabulary", "merges"):
            for value, offset in each.texts(key):
                self._path(key, value, offset, layer="")

    def _path(self, key: str, value: str, offset: int, *, layer: str) -> None:
        if value and len(value) <= _LONGEST_PATH and "\n" not in value:
            how = "remote" if "://" in value else escape(value)
            self._note("keras.path", printable(value), offset, key=key, layer=layer, escape=how)

    def _note(self, kind: str, subject: str, offset: int, **detail: Any) -> None:
        key = (kind, subject, str(detail))
        known = self._facts.get(key)
        if known is not None:
            self._facts[key] = known[0], known[1] + 1, known[2]
        elif len(self._facts) < self._limits.facts:
            self._facts[key] = offset, 1, detail
        else:
            raise LimitReached("facts")

    def items(self) -> Iterator[Fact | NotChecked | Blob]:
        """Yield everything, in the order in which it stands."""
        line, place = 1, 0
        for (kind, subject, _), (offset, count, detail) in sorted(
            self._facts.items(), key=lambda item: item[1][0]
        ):
            line += self._text.count("\n", place, offset)
            place = offset
            yield self._blob.fact(
                kind, printable(subject, 200), line=line, count=count, holder=self._blob.container, **detail
            )
        for text, offset in self._pickles:
            try:
                data = base64.b64decode(text)
            except (ValueError, binascii.Error):
                yield self._blob.not_checked(
                    "malformed",
                    "a module of PyTorch that a layer holds is not encoded as it should be; save it again",
                    line=self._text.count("\n", 0, offset) + 1,
                )
                continue
            yield member(self._blob, "module.pt", io.BytesIO(data), len(data), container=FORMAT)


def _subject(module: str, name: str) -> str:
    """Name a class or function; of functions that a program registers, Keras writes no module."""
    own_name = not module or (module == "builtins" and not hasattr(builtins, name))
    return name if own_name else f"{module}.{name}"


def _where(each: Described) -> str:
    """Name the layer that something belongs to, or the place in the document."""
    names = each.texts("name") or ([] if each.config is None else each.config.texts("name"))
    return names[0][0] if names else ".".join(str(step) for step in each.path[-6:]) or "the model"


@cache
def _operation() -> re.Pattern[str]:
    return re.compile(r"\bop\"?\s*:\s*\"(\w+)\"")


@cache
def _mention() -> re.Pattern[bytes]:
    # As json_members.mentions has it; with zeros between the letters, in UTF-16, it could be anything.
    return re.compile(rb"class_name|\\u00[2-7]|\0")
