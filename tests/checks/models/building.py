"""Build targets and hostile files for the tests of the model check."""

import io
import random
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

from mlgate import rules
from mlgate.checks import Scope
from mlgate.checks.models import collect
from mlgate.core.facts import Observations
from mlgate.core.findings import Finding
from mlgate.core.judge import judge
from mlgate.core.limits import Limits
from mlgate.listing import File
from mlgate.policy.load import PolicyFile
from mlgate.policy.schema import Models, Policy
from mlgate.target import Target

# Would run `true`, if anything ever loaded it.
EVIL = b"\x80\x02cposix\nsystem\nX\x04\x00\x00\x00true\x85R."
TEXT_EVIL = b"cposix\nsystem\n(S'true'\ntR."
NOISE = random.Random(1).randbytes(8192)


def file(path: str, data: bytes) -> File:
    return File(path=path, size=len(data), kind="file", open=lambda: io.BytesIO(data))


def link(path: str, to: str) -> File:
    return File(path=path, size=0, kind="link", open=_refuse, link=to)


def _refuse():
    raise OSError("a link")


def target(files: Mapping[str, bytes | File], *, whole: bool = True) -> Target:
    made = {
        path: each if isinstance(each, File) else file(path, each) for path, each in sorted(files.items())
    }
    return Target(
        root=Path("/nowhere"), files=tuple(made.values()), summary="test", whole=whole, find=made.get
    )


def among(files: Mapping[str, bytes | File], changed: str, models: Models | None = None) -> Scope:
    """Return the scope of a run that looks at one changed file of several."""
    made = scope(files, models, whole=False)
    seen = replace(
        made.target,
        files=tuple(each for each in made.target.files if each.path == changed),
        unchanged=lambda: sorted(files.keys() - {changed}),
    )
    return replace(made, target=seen)


def scope(
    files: Mapping[str, bytes | File],
    models: Models | None = None,
    limits: Limits | None = None,
    *,
    whole: bool = True,
) -> Scope:
    policy = Policy(version=1, models=models or Models(), limits=limits or Limits())
    return Scope(target=target(files, whole=whole), policy=PolicyFile(policy=policy))


def look(data: bytes, name: str = "weights.bin", **limits: int) -> Observations:
    """Return what is said of one file, without what only matters to the files beside it."""
    seen = collect(scope({name: data}, limits=replace(Limits(), **limits)))
    return replace(seen, facts=tuple(fact for fact in seen.facts if fact.kind != "config.modules"))


def judged(seen: Observations, models: Models | None = None) -> tuple[Finding, ...]:
    return judge(rules.load(), seen.facts, Policy(version=1, models=models or Models()))


def kinds(seen: Observations) -> set[str]:
    return {fact.kind for fact in seen.facts}


def reasons(seen: Observations) -> set[str]:
    return {item.reason for item in seen.not_checked}


def called(seen: Observations) -> set[str]:
    return {fact.subject for fact in seen.facts if fact.kind == "pickle.call"}


def format_of(seen: Observations) -> str:
    (record,) = seen.inventory
    return record.format


class Entry:
    """One zip entry; ``local`` and ``central`` override fields of one header alone."""

    def __init__(
        self,
        name,
        data=b"",
        *,
        method=0,
        flags=0,
        mode=0,
        local=None,
        central=None,
        hidden=False,
        packed=None,
    ):
        self.hidden = hidden
        self.payload = packed if packed is not None else (_deflate(data) if method == 8 else data)
        fields = {
            "name": name.encode() if isinstance(name, str) else name,
            "method": method,
            "flags": flags,
            "crc": zlib.crc32(data),
            "packed": len(self.payload),
            "size": len(data),
            "extra": b"",
            "needs": 20,
        }
        self.local = {**fields, **(local or {})}
        self.central = {**fields, "mode": mode, **(central or {})}


def _deflate(data: bytes) -> bytes:
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    return engine.compress(data) + engine.flush()


def zipped(
    *entries: Entry, prefix=b"", comment=b"", end=True, count=None, offsets=None, absolute=True
) -> bytes:
    """Write a zip archive, header by header."""
    out = bytearray(prefix)
    base = 0 if absolute else len(prefix)
    places = []
    for entry in entries:
        places.append(len(out) - base)
        out += _local(entry.local) + entry.payload
    start = len(out)
    listed = [(entry, place) for entry, place in zip(entries, places, strict=True) if not entry.hidden]
    for index, (entry, place) in enumerate(listed):
        out += _central(entry.central, place if offsets is None else offsets[index])
    if end:
        number = len(listed) if count is None else count
        out += struct.pack(
            "<4sHHHHIIH", b"PK\5\6", 0, 0, number, number, len(out) - start, start - base, len(comment)
        )
        out += comment
    return bytes(out)


def _local(each) -> bytes:
    return (
        struct.pack(
            "<4sHHHIIIIHH", b"PK\3\4", 20, each["flags"], each["method"], 0,
            each["crc"], each["packed"], each["size"], len(each["name"]), len(each["extra"]),
        )
        + each["name"]
        + each["extra"]
    )  # fmt: skip


def _central(each, offset) -> bytes:
    return (
        struct.pack(
            "<4sHHHHIIIIHHHHHII", b"PK\1\2", 3 << 8 | 20, each["needs"], each["flags"], each["method"], 0,
            each["crc"], each["packed"], each["size"], len(each["name"]), len(each["extra"]), 0, 0, 0,
            each["mode"] << 16, offset,
        )
        + each["name"]
        + each["extra"]
    )  # fmt: skip


def elf() -> bytes:
    """An ELF header with one program header: enough to be one, not to run."""
    head = (
        b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    )
    return head + struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, 120, 120, 4096)


def pe() -> bytes:
    """A PE header: enough to be one, not to run."""
    head = b"MZ" + bytes(58) + struct.pack("<I", 64)
    coff = b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, 1, 0, 0, 0, 240, 0x22) + struct.pack("<H", 0x20B)
    return head + coff + bytes(300)


def macho() -> bytes:
    """A Mach-O header: enough to be one, not to run."""
    return struct.pack("<IIIIIIII", 0xFEEDFACF, 0x01000007, 3, 2, 1, 72, 0, 0) + bytes(72)


def wide_end(directory: int, length: int, count: int, at: int, *, short: bytes | None = None) -> bytes:
    """A zip64 end record, its locator, and an end record that is saturated or says ``short``."""
    record = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, count, count, length, directory)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, at, 1)
    saturated = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return record + locator + (short or saturated)


def fat() -> bytes:
    """A universal Mach-O of one architecture."""
    return struct.pack(">IIIIIII", 0xCAFEBABE, 1, 0x01000007, 3, 64, 104, 0) + bytes(36) + macho()


def small_elf() -> bytes:
    """A 32-bit big-endian ELF header."""
    head = b"\x7fELF\1\2\1" + bytes(9)
    return head + struct.pack(">HHIIIIIHHHHHH", 2, 8, 1, 0, 52, 0, 0, 52, 32, 1, 0, 0, 0) + bytes(32)
