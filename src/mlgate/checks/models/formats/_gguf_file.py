"""A GGUF file: keys, texts and tensors, held against the file."""

import io
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from mlgate.checks.models.formats import _gguf
from mlgate.checks.models.formats._gguf import ARRAY, SIZES, STRING, Absurd, Cut, Source
from mlgate.checks.models.formats._metadata import could_be_template, handed_back
from mlgate.checks.models.formats.gguf import FORMAT
from mlgate.checks.models.reader import Blob, Clock, Declined, LimitReached
from mlgate.checks.models.secrets import secret_facts
from mlgate.checks.models.stream import member, printable, window
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

_VERSIONS = (1, 2, 3)
_ALIGNMENT = 32
_WIDEST_ALIGNMENT = 1 << 24
# GGML has room for no more, and older loaders never counted.
_MOST_DIMENSIONS = 4
# Types are numbered from nought; a loader that looks up a large one reads beyond its table.
_MOST_TYPES = 1 << 16
_DEEPEST = 16
_OVERFLOW = 1 << 63
_BEYOND = "its data lies beyond the end of the file"


class _NewType(Exception):  # noqa: N818 - an answer, not an error
    """A value is of a type that is not known, so that nothing behind it can be found."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


class _Tensor(Struct, frozen=True):
    """A tensor's place, and its description's; ``size`` is None for a type that is not known."""

    begin: int
    size: int | None
    at: int


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield what contradicts itself or the file, and every text that could be a template.

    Raises:
        Declined: It is a text that begins with the four letters.
        LimitReached: The header is longer than ``header_bytes``, or there are more keys and
            tensors than ``members``.
    """
    version = blob.head[4:8]
    if len(version) < 4:
        yield blob.not_checked("truncated", "the file ends within its header; fetch it again")
        return
    order: Literal["little", "big"] = "little" if version[0] else "big"
    if int.from_bytes(version, order) not in _VERSIONS:
        if all(byte in b"\t\r\n" or 32 <= byte < 127 for byte in version):
            raise Declined
        yield blob.not_checked(
            "unsupported-format", "this version of GGUF cannot be judged; convert it to version 3", offset=4
        )
        return
    narrow = int.from_bytes(version, order) == 1
    source = Source(blob.stream, blob.size, order, limits, clock, narrow=narrow)
    source.skip(8)
    reading = _Reading(blob, source, limits, clock)
    try:
        yield from reading.items()
    except Cut as cut:
        yield blob.not_checked(
            "truncated", "the file ends within its header; fetch it again", offset=cut.offset
        )
    except _NewType as new:
        yield blob.not_checked(
            "unsupported-format",
            "a value is of an unknown type, and what is behind it cannot be read; write the file again",
            offset=new.offset,
        )
    except Absurd as absurd:
        yield blob.fact("gguf.bounds", "header", problem=absurd.problem, offset=absurd.offset)


class _Reading:
    """The walk over one file's header."""

    def __init__(self, blob: Blob, source: Source, limits: Limits, clock: Clock) -> None:
        self._blob, self._source = blob, source
        self._limits, self._clock = limits, clock
        self._alignment = _ALIGNMENT
        # Of the lists that others are measured by.
        self._lengths: dict[str, int] = {}

    def items(self) -> Iterator[Fact | NotChecked | Blob]:
        """Yield everything there is to say.

        Raises:
            Cut: The file ends within its header.
            Absurd: A count or length cannot be meant.
        """
        tensors = self._source.length("a number of tensors", _gguf.MOST_ITEMS)
        pairs = self._source.length("a number of keys", _gguf.MOST_ITEMS)
        yield from self._pairs(pairs)
        for key, expected in _gguf.expectations().items():
            have, need = self._lengths.get(key), self._lengths.get(expected.length)
            if have is not None and need is not None and have < need:
                yield self._blob.fact("gguf.type", key, problem=f"it is shorter than {expected.length}")
        yield from self._tensors(tensors)

    def _pairs(self, count: int) -> Iterator[Fact | NotChecked | Blob]:
        keys: set[int] = set()
        for _ in range(count):
            self._clock.check()
            at = self._source.at
            raw = self._source.name()
            key = _shown(raw)
            if hash(raw) in keys:
                yield self._blob.fact("gguf.bounds", key, problem="the key is there twice", offset=at)
            keys.add(hash(raw))
            if len(keys) > self._limits.members:
                raise LimitReached("members")
            kind = self._source.number(4)
            if kind == ARRAY:
                yield from self._array(key, at)
            elif kind == STRING:
                yield from self._expect(key, [kind], at)
                yield from self._text(key, self._source.at, self._source.text())
            elif kind in SIZES:
                yield from self._expect(key, [kind], at)
                value = self._source.number(SIZES[kind])
                if key == "general.alignment":
                    yield from self._align(value, at)
            else:
                raise _NewType(at)

    def _align(self, value: int, at: int) -> Iterator[Fact]:
        if value and not value & (value - 1) and value <= _WIDEST_ALIGNMENT:
            self._alignment = value
        else:
            problem = "the alignment is no sensible power of two"
            yield self._blob.fact("gguf.bounds", "general.alignment", problem=problem, offset=at)

    def _expect(self, key: str, kinds: list[int], at: int) -> Iterator[Fact]:
        """Hold the type of a value, and of its items, against what loaders take it for."""
        expected = _gguf.expectations().get(key)
        if expected is None and key.startswith("tokenizer.chat_template."):
            expected = _gguf.expectations()["tokenizer.chat_template"]
        if expected is None:
            return
        if expected.array != (kinds[0] == ARRAY):
            yield self._blob.fact("gguf.type", key, problem="it is a list, or is none", offset=at)
        elif kinds[-1] not in expected.types:
            problem = "its type is another than loaders take it for"
            yield self._blob.fact("gguf.type", key, problem=problem, offset=at)

    def _array(self, key: str, at: int) -> Iterator[Fact | NotChecked | Blob]:
        """Read a list, and lists in it, without recursion."""
        left = [1]
        while left:
            self._clock.check()
            left[-1] -= 1
            if left[-1] < 0:
                left.pop()
                continue
            kind = self._source.number(4)
            count = self._source.length("a list of a length", _gguf.MOST_ITEMS)
            if len(left) == 1:
                self._lengths[key] = count
                if count:
                    yield from self._expect(key, [ARRAY, kind], at)
            if kind == ARRAY:
                if len(left) >= _DEEPEST:
                    raise Absurd("lists inside lists that no file has", self._source.at)
                left.append(count)
            elif kind == STRING:
                yield from self._list(key, count)
            elif kind in SIZES:
                self._source.skip(SIZES[kind] * count)
            else:
                raise _NewType(at)

    def _list(self, key: str, count: int) -> Iterator[Fact | NotChecked | Blob]:
        """Look into a list of texts, in blocks: a vocabulary has hundreds of thousands."""
        for offset, block in self._source.texts(count):
            if b"{{" in block or b"{%" in block:
                for start, text in self._source.split(block):
                    if (b"{{" in text or b"{%" in text) and could_be_template(text.decode("latin-1")):
                        yield self._element(f"{key}[{offset + start}]", text)
            yield from secret_facts(self._blob, block.decode("latin-1"), offset=offset, where=key)

    def _text(self, key: str, offset: int, text: bytes) -> Iterator[Fact | Blob]:
        shown = text.decode("utf-8", "replace")
        yield from handed_back(self._blob, key, shown, offset=offset, container=FORMAT)

    def _element(self, key: str, text: bytes) -> Blob:
        return member(self._blob, f"{key}.jinja", io.BytesIO(text), len(text), container=FORMAT)

    def _tensors(self, count: int) -> Iterator[Fact | Blob]:
        tensors: list[_Tensor] = []
        names: set[int] = set()
        for _ in range(count):
            self._clock.check()
            at = self._source.at
            raw = self._source.name()
            if hash(raw) in names:
                problem = "the tensor is there twice"
                yield self._blob.fact("gguf.bounds", _shown(raw), problem=problem, offset=at)
            names.add(hash(raw))
            if len(names) > self._limits.members:
                raise LimitReached("members")
            tensor, objection = self._tensor(at)
            if objection is not None:
                yield self._blob.fact("gguf.bounds", _shown(raw), problem=objection, offset=at)
            else:
                tensors.append(tensor)
        yield from self._tiling(tensors, whole=len(tensors) == count)

    def _tensor(self, at: int) -> tuple[_Tensor, str | None]:
        """Read a tensor's description, and say what is wrong with it, if anything is."""
        dimensions = self._source.number(4)
        if dimensions > _MOST_DIMENSIONS:
            raise Absurd("a tensor of more dimensions than there can be", self._source.at - 4)
        sides = [self._source.number(self._source.width) for _ in range(dimensions)]
        kind = self._source.number(4)
        begin = self._source.number(8)
        elements = largest = 1
        for side in sides:
            elements *= side
            # Some loaders multiply before they meet the zero.
            largest *= max(side, 1)
        per_block, block = _gguf.blocks().get(kind, (1, 0))
        tensor = _Tensor(begin=begin, size=elements // per_block * block if block else None, at=at)
        if largest >= _OVERFLOW:
            return tensor, "its dimensions overflow"
        if (sides[0] if sides else 1) % per_block:
            return tensor, "its rows are no whole blocks of its type"
        if kind >= _MOST_TYPES:
            return tensor, "it is of a type that does not exist"
        return tensor, "its data is not aligned" if begin % self._alignment else None

    def _about(self, tensor: _Tensor, problem: str, offset: int) -> Fact:
        self._source.at = tensor.at
        return self._blob.fact("gguf.bounds", _shown(self._source.name()), problem=problem, offset=offset)

    def _tiling(self, tensors: list[_Tensor], *, whole: bool) -> Iterator[Fact | Blob]:
        """Hold the tensors' places against each other and the end of the file."""
        data = -(-self._source.at // self._alignment) * self._alignment
        available = max(self._blob.size - data, 0)
        end = 0
        # False once the end of a tensor is not known.
        exact = whole
        for tensor in sorted(tensors, key=lambda each: (each.begin, each.size or 0)):
            place = data + tensor.begin
            if tensor.begin + (tensor.size or 0) > available:
                yield self._about(tensor, _BEYOND, min(place, self._blob.size))
                return
            if tensor.begin < end:
                problem = "its data overlaps another tensor's"
                yield self._about(tensor, problem, place)
                return
            if exact and tensor.begin - end >= self._alignment:
                yield from self._uncovered("between", data + end, place)
                exact = False
            exact = exact and tensor.size is not None
            end = tensor.begin + (tensor.size or 0)
        if exact and available > end:
            yield from self._uncovered("behind", data + end, self._blob.size)

    def _uncovered(self, where: str, start: int, end: int) -> Iterator[Fact | Blob]:
        """Yield bytes that no tensor has; some writers round a file up to whole pages."""
        rest = member(
            self._blob,
            f"bytes {where} the tensors",
            window(self._blob.stream, start, end - start),
            end - start,
            container=FORMAT,
            tentative=True,
        )
        if end - start > len(rest.head) or rest.head.strip(b"\0"):
            yield self._blob.fact("core.unaccounted", f"bytes {where} the tensors", offset=start)
            yield rest


def _shown(name: bytes) -> str:
    return printable(name.decode("utf-8", "backslashreplace"), 200)
