"""Archives that unpack somewhere else, hide a member, or never end; and what lies in them, however deep."""

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zlib
from collections.abc import Iterator

from tests.checks.models.building import NOISE, Entry, zipped
from tests.corpus.assemble import EVIL, EVIL_4, EVIL_TEXT, EVIL_UNKNOWN
from tests.corpus.sample import Sample

PAYLOADS = {"system": EVIL, "text": EVIL_TEXT, "exec": EVIL_4, "unknown": EVIL_UNKNOWN}
PATHS = ("../evil.py", "../../../../etc/cron.d/a", "/etc/passwd", "a/../../b", "..\\..\\evil.py", "C:\\evil.py", "C:evil.py", "\\\\host\\share\\a", "//host/a", "./../a", "..", "a\\..\\..\\b", "/", "\\evil", "a/./../../c", ".//../x", "a/b/c/../../../../d")  # fmt: skip


def tarred(
    *members: tarfile.TarInfo | tuple[str, bytes], mode: str = "w", form: int = tarfile.PAX_FORMAT
) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, format=form) as archive:
        for each in members:
            if isinstance(each, tarfile.TarInfo):
                archive.addfile(each)
            else:
                info = tarfile.TarInfo(each[0])
                info.size = len(each[1])
                archive.addfile(info, io.BytesIO(each[1]))
    return out.getvalue()


def special(name: str, kind: bytes, to: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = to
    return info


def stored(name: str, data: bytes) -> bytes:
    return zipped(Entry(name, data))


WRAPS = {
    "zip": lambda data: stored("a.bin", data),
    "zip, deflated": lambda data: zipped(Entry("a.bin", data, method=8)),
    "tar": lambda data: tarred(("a.bin", data)),
    "tar.gz": lambda data: tarred(("a.bin", data), mode="w:gz"),
    "tar.bz2": lambda data: tarred(("a.bin", data), mode="w:bz2"),
    "tar.xz": lambda data: tarred(("a.bin", data), mode="w:xz"),
    "tar, old": lambda data: tarred(("a.bin", data), form=tarfile.USTAR_FORMAT),
    "tar, GNU": lambda data: tarred(("a" * 200 + ".bin", data), form=tarfile.GNU_FORMAT),
    "gz": lambda data: gzip.compress(data, mtime=0),
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    "zlib": zlib.compress,
}


def samples() -> Iterator[Sample]:
    family = "archives: paths and links"
    for path in PATHS:
        for kind, data in {
            "zip": stored(path, b"pass"),
            "zip, central": zipped(Entry("a.txt", b"pass", central={"name": path.encode()})),
            "zip, local": zipped(Entry("a.txt", b"pass", local={"name": path.encode()})),
            "tar": tarred((path, b"pass")),
            "tar.gz": tarred((path, b"pass"), mode="w:gz"),
        }.items():
            inside = path in {"/", ".."}
            name = "model." + kind.partition(",")[0]
            yield Sample(
                family, f"{path}, {kind}", "unpacked outside", {name: data}, "medium" if inside else "high"
            )
    for to in ("/etc/passwd", "../../secret", "..", "/", "a/../../b"):
        mode = 0o120777
        yield Sample(
            family,
            f"zip link to {to}",
            "a link that leads out",
            {"model.zip": zipped(Entry("a", to.encode(), mode=mode))},
        )
        yield Sample(
            family,
            f"zip link to {to}, then through it",
            "written through the link",
            {"model.zip": zipped(Entry("a", to.encode(), mode=mode), Entry("a/b", b"pass"))},
        )
        for kind, name in ((tarfile.SYMTYPE, "symbolic"), (tarfile.LNKTYPE, "hard")):
            yield Sample(
                family,
                f"tar {name} link to {to}",
                "a link that leads out",
                {"model.tar": tarred(special("a", kind, to))},
            )
            yield Sample(
                family,
                f"tar {name} link to {to}, then through it",
                "written through the link",
                {"model.tar": tarred(special("a", kind, to), ("a/b", b"pass"))},
            )
    for kind, name in (
        (tarfile.CHRTYPE, "character device"),
        (tarfile.BLKTYPE, "block device"),
        (tarfile.FIFOTYPE, "pipe"),
    ):
        yield Sample(family, f"tar {name}", "a device is made", {"model.tar": tarred(special("dev", kind))})
    yield Sample(
        family, "NUL in a zip name", "cut by the unpacker", {"model.zip": stored("a.txt\0/../../b", b"x")}
    )
    yield from _inside()
    yield from _tricks()
    yield from _bombs()


def _inside() -> Iterator[Sample]:
    family = "archives: what is in them"
    for wrap, make in WRAPS.items():
        for kind, evil in PAYLOADS.items():
            yield Sample(
                family,
                f"{kind} in {wrap}",
                "unpacked and loaded",
                {f"model.{wrap.partition(',')[0]}": make(evil)},
            )
        for name in ("weights.bin", "data", "model.pkl", "readme.txt"):
            yield Sample(family, f"{wrap} as {name}", "a loader goes by content", {name: make(EVIL)})
    for outer, wrap in WRAPS.items():
        for inner, again in WRAPS.items():
            yield Sample(
                family,
                f"{inner} in {outer}",
                "unpacked twice",
                {f"model.{outer.partition(',')[0]}": wrap(again(EVIL_4))},
            )
    data = EVIL
    for depth in range(1, 13):
        data = stored("a.zip", data)
        if depth > 2:
            yield Sample(
                family,
                f"{depth} zips deep",
                "unpacked again and again",
                {"model.zip": data},
                "high" if depth < 5 else "not-checked",
            )
    data = EVIL
    for depth in range(1, 9):
        data = gzip.compress(data, mtime=0)
        if depth > 2:
            yield Sample(
                family,
                f"{depth} gzips deep",
                "unpacked again and again",
                {"model.gz": data},
                "high" if depth < 4 else "not-checked",
            )
    many = zipped(*(Entry(f"a{n}.txt", b"text") for n in range(1500)), Entry("z.pkl", EVIL))
    yield Sample(family, "behind fifteen hundred members", "the last of many", {"model.zip": many})
    yield Sample(
        family,
        "behind fifteen hundred files",
        "the last of many",
        {"model.tar": tarred(*((f"a{n}.txt", b"text") for n in range(1500)), ("z.pkl", EVIL))},
    )
    for name in ("whl", "jar", "egg", "nupkg", "conda", "mlpackage", "kar", "ckpt", "nemo", "mar"):
        yield Sample(
            family, f"zip as {name}", "opened by content", {f"model.{name}": stored("model.pkl", EVIL)}
        )
        yield Sample(
            family, f"tar as {name}", "opened by content", {f"model.{name}": tarred(("model.pkl", EVIL))}
        )
    for magic, name in (
        (b"7z\xbc\xaf\x27\x1c\0\4" + bytes(24) + NOISE, "7z"),
        (b"Rar!\x1a\7\0" + NOISE, "rar"),
        (b"Rar!\x1a\7\1\0" + NOISE, "rar5"),
        (b"\x28\xb5\x2f\xfd" + NOISE, "zst"),
        (b"MSCF\0\0\0\0" + NOISE, "cab"),
        (b"!<arch>\ndebian-binary   " + NOISE, "deb"),
        (b"\x1f\x9d\x90" + NOISE, "Z"),
        (b"\x04\x22\x4d\x18" + NOISE, "lz4"),
        (b"LZIP\1" + NOISE, "lz"),
        (b"\x1f\x8b\x08\0" + NOISE, "gz"),
        (b"\xfd7zXZ\0" + NOISE, "xz"),
        (b"BZh9" + NOISE, "bz2"),
        (b"070701" + NOISE, "cpio"),
        (b"hsqs" + NOISE, "squashfs"),
    ):
        for path in (f"model.{name}", "model.bin", "weights.pkl"):
            weak = name in {"bz2", "deb", "cpio", "squashfs", "Z", "lz", "cab"} and path == "model.bin"
            if not weak:
                yield Sample(
                    family,
                    f"{name} as {path}",
                    "an archive that cannot be opened here",
                    {path: magic},
                    # The zeros say that the archive is empty, which is read, and objected to.
                    "medium" if name == "7z" else "not-checked",
                )


def _tricks() -> Iterator[Sample]:
    family = "archives: headers that lie"
    honest = Entry("model.txt", b"text")
    for kind, evil in PAYLOADS.items():
        for name, data in {
            "duplicate": zipped(Entry("model.pkl", b"N."), Entry("model.pkl", evil)),
            "duplicate, first": zipped(Entry("model.pkl", evil), Entry("model.pkl", b"N.")),
            "not in the directory": zipped(honest, Entry("model.pkl", evil, hidden=True)),
            "only a local header": zipped(Entry("model.pkl", evil, hidden=True), honest),
            "no end record": zipped(Entry("model.pkl", evil), end=False),
            "second end record": zipped(Entry("model.pkl", evil)) + zipped(honest),
            "second end record, other way": zipped(honest) + zipped(Entry("model.pkl", evil)),
            "archive in the comment": zipped(honest, comment=zipped(Entry("model.pkl", evil))),
            "prefix": zipped(Entry("model.pkl", evil), prefix=b"\x89PNG\r\n\x1a\n" + bytes(100)),
            "prefix of an executable": zipped(Entry("model.pkl", evil), prefix=b"MZ" + bytes(200)),
            "bad crc": zipped(Entry("model.pkl", evil, local={"crc": 5}, central={"crc": 5})),
            "crc differs": zipped(Entry("model.pkl", evil, local={"crc": 5})),
            "names differ": zipped(Entry("a.txt", evil, local={"name": b"b.txt"})),
            "sizes differ": zipped(Entry("model.pkl", evil, central={"size": 3, "packed": 3})),
            "methods differ": zipped(Entry("model.pkl", evil, local={"method": 8})),
            "encrypted in the directory": zipped(Entry("model.pkl", evil, central={"flags": 1})),
            "strong encryption": zipped(
                Entry("model.pkl", evil, central={"flags": 0x41}, local={"flags": 0x41})
            ),
            "members overlap": zipped(Entry("a.pkl", evil), Entry("b.pkl", evil), offsets=[0, 0]),
            "offset into a member": zipped(Entry("a.txt", stored("model.pkl", evil)), offsets=[35]),
            "extra field": zipped(
                Entry(
                    "model.pkl",
                    evil,
                    local={"extra": b"\x75\x70" + struct.pack("<H", 14) + b"\1" + bytes(4) + b"other.txt"},
                )
            ),
            "data descriptor": zipped(
                Entry("model.pkl", evil, local={"flags": 8, "crc": 0, "size": 0, "packed": 0})
            ),
            "wrong count": zipped(honest, Entry("model.pkl", evil), count=1),
            "tar duplicate": tarred(("model.pkl", b"N."), ("model.pkl", evil)),
            "tar, then tar": tarred(("a.txt", b"a")) + tarred(("model.pkl", evil)),
            "tar without end": tarred(("model.pkl", evil)).rstrip(b"\0") + bytes(1024),
            "tar behind junk": tarred(("a.txt", b"a"))[:1024] + bytes(512) + tarred(("model.pkl", evil)),
            "pickle before a zip": evil + zipped(honest),
            "pickle behind a zip": zipped(honest) + evil,
            "gz with a name": b"\x1f\x8b\x08\x08\0\0\0\0\0\3model.pkl\0" + gzip.compress(evil, mtime=0)[10:],
            "gz with an extra field": b"\x1f\x8b\x08\x04\0\0\0\0\0\3\4\0abcd"
            + gzip.compress(evil, mtime=0)[10:],
            "gz with a header checksum": b"\x1f\x8b\x08\x02\0\0\0\0\0\3\0\0"
            + gzip.compress(evil, mtime=0)[10:],
        }.items():
            weak = {
                "encrypted in the directory": "not-checked",
                "strong encryption": "not-checked",
                "sizes differ": "high",
                "methods differ": "high",
                "pickle behind a zip": "medium",
                "data descriptor": "high",
            }
            yield Sample(
                family,
                f"{name}, {kind}",
                "readers differ on what is in it",
                {"model.zip" if data[:2] != b"\x1f\x8b" else "model.gz": data},
                weak.get(name, "high"),
            )


def _bombs() -> Iterator[Sample]:
    family = "archives: bombs"
    zeros = bytes(64 << 20)
    few = bytes(2 << 20)
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    deflated = packed.compress(few) + packed.flush()
    sizes = {"size": len(few), "crc": zlib.crc32(few)}
    overlapping = zipped(
        *(
            Entry(
                f"a{n}",
                method=8,
                packed=deflated if n == 0 else b"",
                local=sizes,
                central={**sizes, "packed": len(deflated)},
            )
            for n in range(100)
        ),
        offsets=[0] * 100,
    )
    yield Sample(family, "zip of overlapping zeros", "one member a hundred times", {"model.zip": overlapping})
    # Zeros deflate to a thousandth at most, and are read whole.
    for name, data in {
        "bz2": bz2.compress(zeros),
        "xz": lzma.compress(zeros),
    }.items():
        yield Sample(family, f"{name} of zeros", "a thousandfold", {f"model.{name}": data}, "not-checked")
    lie = zipped(Entry("a.bin", b"a", central={"size": 2**31 - 1, "packed": 10}))
    yield Sample(
        family,
        "zip that promises gigabytes",
        "an allocation by the header",
        {"model.zip": lie},
        "not-checked",
    )
