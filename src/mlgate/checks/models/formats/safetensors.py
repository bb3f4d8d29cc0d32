"""Safetensors: a JSON header that must describe every byte behind it exactly once.

Stricter than some readers, as strict as the reference one: what two readers could
understand differently is a fact. Texts in the metadata that could be templates or
configurations are handed back.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from msgspec import Struct

from mlgate.checks.models.formats._metadata import handed_back
from mlgate.checks.models.reader import Blob, Clock, Declined, LimitReached
from mlgate.checks.models.stream import printable, read_at
from mlgate.checks.models.tensor_bytes import started
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "safetensors"
KIND = "model"
ORDER = 30

# The reference reader refuses more.
_MOST_HEADER = 100_000_000
# Bits of one element.
_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
    "I16": 16, "U16": 16, "F16": 16, "BF16": 16,
    "I32": 32, "U32": 32, "F32": 32, "I64": 64, "U64": 64, "F64": 64, "C64": 64,
}  # fmt: skip
_OCTETS = ("U8", "I8")
_KEYS = {"dtype", "shape", "data_offsets"}
# No file system holds more.
_ABSURD = 1 << 50
_SPACE = b" \t\r\n"


class _Malformed(Exception):  # noqa: N818 - an answer, not an error
    """The header breaks the format; the text says how."""


class _Tensor(Struct, frozen=True):
    name: str
    begin: int
    end: int
    octets: bool


def sniff(blob: Blob) -> bool:
    """Look for a believable length with a JSON object behind it."""
    head = blob.head
    start = head[8:].lstrip(_SPACE)
    if start[:1] != b"{" or len(head) < 10:
        return False
    # Four bytes more of length are only a mistake where the name says what this is.
    believable = not any(head[4:8]) or blob.name.endswith(".safetensors")
    return believable and start[1:].lstrip(_SPACE)[:1] in (b'"', b"}", b"")


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield where the header breaks the format.

    Raises:
        Declined: The header is no text.
        LimitReached: More tensors than ``limits.members``, or a header beyond ``header_bytes``.
    """
    length = int.from_bytes(blob.head[:8], "little")
    if length > _MOST_HEADER:
        yield blob.fact("safetensors.header", "longer than the format allows", offset=0)
        return
    if length > limits.header_bytes:
        raise LimitReached("header_bytes")
    raw = read_at(blob.stream, 8, min(length, blob.size - 8))
    if b"\0" in raw[:64]:
        raise Declined
    if len(raw) < length:
        yield blob.not_checked("truncated", "the file ends within its header; fetch it again")
        return
    tensors: list[_Tensor] = []
    try:
        for name, value in _members(raw, limits, clock):
            if name != "__metadata__":
                tensor, objection = _tensor(name, value)
                tensors.append(tensor)
                if objection is not None:
                    yield blob.fact("safetensors.shape", printable(name), problem=objection)
            else:
                yield from _metadata(blob, value)
    except _Malformed as problem:
        yield blob.fact("safetensors.header", str(problem), offset=8)
        return
    yield from _tiling(blob, tensors, blob.size - 8 - length, 8 + length)
    for tensor in tensors:
        span = 8 + length + tensor.begin, 8 + length + tensor.end
        yield from started(
            blob, span, FORMAT, limits, clock, name=f"tensor {tensor.name}", octets=tensor.octets
        )


def _tiling(blob: Blob, tensors: list[_Tensor], available: int, data: int) -> Iterator[Fact | NotChecked]:
    """Check that the tensors cover the data without overlap, gap or remainder."""
    if any(tensor.end >= _ABSURD for tensor in tensors):
        yield blob.fact("safetensors.offsets", "a tensor beyond any file", offset=data, how="beyond")
        return
    place = 0
    for tensor in sorted(tensors, key=lambda each: (each.begin, each.end)):
        if tensor.begin != place:
            how = "overlap" if tensor.begin < place else "gap"
            yield blob.fact(
                "safetensors.offsets", printable(tensor.name), offset=data + tensor.begin, how=how
            )
            return
        place = tensor.end
    if place > available:
        yield blob.not_checked("truncated", "the file ends before the last of its tensors; fetch it again")
    elif place < available:
        yield blob.fact(
            "safetensors.offsets", "bytes behind the tensors", offset=data + place, how="remainder"
        )


def _tensor(name: str, value: dict[str, Any]) -> tuple[_Tensor, str | None]:
    """Return a tensor, and what is wrong with its size, if anything is."""
    if set(value) != _KEYS:
        raise _Malformed("a tensor has other keys than dtype, shape and data_offsets")
    dtype, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not isinstance(dtype, str) or not _naturals(shape) or not _naturals(offsets) or len(offsets) != 2:
        raise _Malformed("a tensor's dtype, shape or data_offsets is of the wrong type")
    begin, end = offsets
    if begin > end:
        raise _Malformed("a tensor ends before it begins")
    tensor = _Tensor(name=name, begin=begin, end=end, octets=dtype in _OCTETS)
    if dtype not in _BITS:
        return tensor, f"unknown dtype {printable(dtype, 40)}"
    bits = _BITS[dtype]
    for side in shape:
        bits *= side
        if bits >= 1 << 67:
            return tensor, "the shape overflows"
    if bits != (end - begin) * 8:
        return tensor, "dtype and shape take another number of bytes than data_offsets gives"
    return tensor, None


def _metadata(blob: Blob, value: dict[str, Any]) -> Iterator[Fact | Blob]:
    """Look into the texts that the writer put beside the tensors."""
    if not all(isinstance(each, str) for each in value.values()):
        raise _Malformed("__metadata__ holds something other than text")
    for key, text in value.items():
        yield from handed_back(blob, f"__metadata__/{key}", text, offset=8, container=FORMAT)


def _naturals(value: Any) -> bool:
    return isinstance(value, list) and all(type(each) is int and 0 <= each < 1 << 64 for each in value)


def _members(raw: bytes, limits: Limits, clock: Clock) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the header's members one by one: flat memory, no recursion, no key twice.

    Raises:
        _Malformed: It is not what the format asks for.
        LimitReached: Too many members.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _Malformed("the header is not UTF-8") from error
    opening, member, closing = _grammar()
    start = opening.match(text)
    if start is None:
        raise _Malformed("the header is no JSON object")
    at = start.end()
    seen: set[str] = set()
    while (end := closing.match(text, at)) is None:
        clock.check()
        found = member.match(text, at)
        if found is None or (bool(seen) != bool(found[1])):
            raise _Malformed("the header is no flat JSON object of objects")
        name, value = _json(found[2]), _json(found[3])
        if name in seen:
            raise _Malformed("the header has a key twice")
        seen.add(name)
        if len(seen) > limits.members:
            raise LimitReached("members")
        yield name, value
        at = found.end()
    if end.end() != len(text):
        raise _Malformed("something stands behind the header's object")


def _json(text: str) -> Any:
    try:
        value = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_refuse, parse_int=_natural, strict=True
        )
        # Half a surrogate pair is no character, and the reference reader refuses it.
        text.encode()
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise _Malformed("the header is not valid JSON") from error
    return value


def _natural(digits: str) -> int:
    # Minus zero is no natural number to the reference reader.
    return -1 if digits[0] == "-" else int(digits)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _Malformed("the header has a key twice")
    return made


def _refuse(_name: str) -> None:
    raise _Malformed("the header is not valid JSON")


@cache
def _grammar() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    string = r'"(?:[^"\\\x00-\x1f]|\\.)*+"'
    return (
        re.compile(r"\{"),
        re.compile(
            rf'[ \t\r\n]*(,)?[ \t\r\n]*({string})[ \t\r\n]*:[ \t\r\n]*(\{{(?:[^{{}}"]|{string})*+\}})'
        ),
        re.compile(r"[ \t\r\n]*\}[ \t\r\n]*"),
    )
