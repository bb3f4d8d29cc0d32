"""Time and memory of ``mlgate scan`` on large files and on many, each as a whole process.

    python benchmarks/walls.py [--picklescan COMMAND] [--only large|hostile|many]

* A PyTorch archive of 2 GiB, and a pickle of 1 GiB made of blobs. Both are sparse files:
  what is measured is that tensor bytes are not read.
* 10,000 small pickles with one worker and with two, in turn; the ratio is of wall times.
* Files that are made to take memory. The aim is a peak below 100 MB for each.

With ``--picklescan`` the archive is scanned by that command too, in the same run.
"""

import argparse
import gzip
import io
import lzma
import os
import pickle
import random
import resource
import shlex
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

SCAN = [sys.executable, "-I", "-m", "mlgate", "scan", "--quiet"]
GIB = 1 << 30
FILES = 10_000


class Cost(NamedTuple):
    """What one process took."""

    wall: float
    cpu: float
    peak_mb: float
    code: int


def cost(command: list[str]) -> Cost:
    """Run a command to its end."""
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - started
    return Cost(wall, used.ru_utime + used.ru_stime, _peak(used) / 1e6, process.returncode)


def _peak(used: resource.struct_rusage) -> int:
    # Of the largest process among it and its workers; kibibytes but on macOS.
    return used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def apart(build: Callable[[], object]) -> None:
    """Run in another process: what this one holds would count as the peak of all that it starts."""
    process = os.fork()
    if not process:
        build()
        os._exit(0)
    os.waitpid(process, 0)


def torch_archive(path: Path) -> None:
    """Write an archive as ``torch.save`` does, with one storage of 2 GiB of zeros, sparsely."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("model/data.pkl", pickle.dumps({"weight": [1.0, 2.0]}, 2))
        archive.writestr("model/version", "3\n")
    head = data.getvalue()
    start = struct.unpack_from("<I", head, len(head) - 6)[0]
    directory = head[start : len(head) - 22]
    size, name = 2 * GIB, b"model/data/0"
    crc = 0
    for _ in range(2048):
        crc = zlib.crc32(bytes(1 << 20), crc)
    local = struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 0, 0, 0, crc, size, size, len(name), 0) + name
    entry = struct.pack(
        "<IHHHHHHIIIHHHHHII", 0x02014B50, 20, 20, 0, 0, 0, 0, crc, size, size, len(name), 0, 0, 0, 0, 0, start
    )
    directory += entry + name
    place = start + len(local) + size
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 3, 3, len(directory), place, 0)
    with path.open("wb") as file:
        file.write(head[:start] + local)
        file.seek(place)
        file.write(directory + end)


def blobs(path: Path) -> None:
    """Write a list of sixteen bytes objects of 64 MiB each, sparsely."""
    with path.open("wb") as file:
        file.write(b"\x80\x04](")
        for _ in range(16):
            file.write(b"B" + struct.pack("<I", 64 << 20))
            file.seek(64 << 20, os.SEEK_CUR)
        file.write(b"e.")


def many(folder: Path) -> None:
    """Write ten thousand small pickles."""
    chance = random.Random(0)
    for number in range(FILES):
        value = {"weights": [chance.random() for _ in range(50)], "names": {str(n): n for n in range(50)}}
        (folder / f"{number}.pkl").write_bytes(pickle.dumps(value))


def _memo(number: int) -> bytes:
    return b"\x94" * number


def _zip(number: int) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for each in range(number):
            archive.writestr(f"folder/{each}", b"x")
    return data.getvalue()


def _bomb() -> bytes:
    engine = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = bytes(1 << 24)
    return b"".join(engine.compress(zeros) for _ in range(256)) + engine.flush()


def _field(number: int, payload: bytes) -> bytes:
    """Write a field of a protobuf message: a short text or message."""
    return _varint(number << 3 | 2) + _varint(len(payload)) + payload


def _varint(value: int) -> bytes:
    data = b""
    while value > 127:
        data += bytes((value & 127 | 128,))
        value >>= 7
    return data + bytes((value,))


def _script(source: bytes) -> bytes:
    """Write a PyTorch archive with TorchScript."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("m/data.pkl", b"\x80\x02}.")
        archive.writestr("m/constants.pkl", b"\x80\x02).")
        archive.writestr("m/code/__torch__/a.py", source)
    return data.getvalue()


def _gguf(pairs: bytes, number: int) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, 0, number) + pairs


def _npy(shape: bytes) -> bytes:
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (" + shape + b")}"
    return b"\x93NUMPY\x02\0" + struct.pack("<I", len(header)) + header


def _tar_member(name: bytes) -> bytes:
    head = name.ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2 + b"%011o\0" % 1 + b"%011o\0" % 0
    rest = b"0".ljust(101, b"\0") + b"ustar\x0000".ljust(255, b"\0")
    total = sum(head) + sum(rest) + 8 * 32
    return head + b"%06o\0 " % total + rest + b"x".ljust(512, b"\0")


_KEY = struct.pack("<Q", 1) + b"k"
_R = b"X\n" + struct.pack(">iii", 2, 0x40003, 0x20300)

HOSTILE: dict[str, Callable[[], bytes]] = {
    "5 million memo entries": lambda: b"\x80\x04N" + _memo(5_000_000) + b".",
    "5 million memo keys of their own": lambda: (
        b"\x80\x02N" + b"".join(b"r" + struct.pack("<I", n) for n in range(5_000_000)) + b"."
    ),
    "10 million empty lists on the stack": lambda: b"\x80\x02(" + b"]" * 10_000_000 + b"l.",
    "10 million texts on the stack": lambda: b"\x80\x04(" + b"\x8c\x02ab" * 10_000_000 + b"l.",
    "4 million tuples in tuples": lambda: b"\x80\x02)" + b"\x85" * 4_000_000 + b".",
    "3 million names": lambda: b"\x80\x02" + b"".join(b"cm\nn%d\n0" % n for n in range(3_000_000)) + b"N.",
    "a header of 90 MB": lambda: struct.pack("<Q", 90_000_000) + b'{"a":' + b" " * 89_999_990 + b"{}}",
    "a zip of 65,000 members": lambda: _zip(65_000),
    "a gzip bomb": _bomb,
    "an xz bomb": lambda: lzma.compress(bytes(512 << 20), preset=0),
    "a text of 60 MB in a gzip of 60 kB": lambda: gzip.compress(b'{"a": [' + b"1, " * 20_000_000 + b"1]}"),
    "100,000 gzips": lambda: gzip.compress(b"x") * 100_000,
    "a tar of 20,000 members": lambda: (
        b"".join(_tar_member(b"%d" % number) for number in range(20_000)) + bytes(1024)
    ),
    "a forest of messages, TensorFlow": lambda: _field(1, _field(1, b"a") + _field(2, b"Add")) * 1_000_000,
    "a forest of messages, ONNX": lambda: b"\x08\x08" + _field(7, _field(1, _field(4, b"Relu")) * 1_200_000),
    "a forest of messages, Caffe": lambda: (
        _field(1, b"net") + _field(100, _field(1, b"a") + _field(2, b"ReLU")) * 800_000
    ),
    "a forest of messages, Core ML": lambda: (
        b"\x08\x04" + _field(500, _field(1, _field(1, b"a") + _field(2, b"b")) * 800_000)
    ),
    "10 million empty messages": lambda: b"\x0a\0" * 10_000_000,
    "GGUF, 600,000 keys": lambda: _gguf((_KEY + struct.pack("<II", 4, 1)) * 600_000, 600_000),
    "GGUF, a million lists in lists": lambda: _gguf(
        _KEY + struct.pack("<I", 9) + struct.pack("<IQ", 9, 1) * 1_000_000 + struct.pack("<IQ", 4, 0), 1
    ),
    "MessagePack, 12 million lists in lists": lambda: b"\x81\xa1a" + b"\x91" * 12_000_000,
    "R, 2 million pairs": lambda: _R + struct.pack(">ii", 2, 254) * 2_000_000 + struct.pack(">i", 254),
    "NumPy, a header of 10 MB": lambda: _npy(b"1, " * 3_300_000),
    "XML of 16 MB": lambda: b'<PMML version="4.4">' + b'<Extension name="a"/>' * 760_000 + b"</PMML>",
    "TorchScript, 16 MB of spaces": lambda: _script(b" " * 16_000_000),
    "a template of 15 MB": lambda: b"{{ x.__class__ }}" * 900_000,
    "JSON, 6 million numbers 900 lists down": lambda: (
        b'{"auto_map":' + b"[" * 900 + b"1," * 6_000_000 + b"1" + b"]" * 900 + b"}"
    ),
    "YAML, 4 million texts 900 lists down": lambda: (
        b"a: !!python/none\nb: " + b"[" * 900 + b"x, " * 4_000_000 + b"x" + b"]" * 900
    ),
    "JSON of 16 MB": lambda: b'{"auto_map": [' + b"[]," * 5_000_000 + b"[]]}",
    "YAML of 12 MB": lambda: b"a: !!python/none\nb: [" + b"x, " * 4_000_000 + b"x]\n",
    "Python of 10 MB": lambda: b"import os\nx = [" + b"os, " * 2_500_000 + b"os]\nexec(x)\n",
}
NAMES = {
    "a header of 90 MB": "h.safetensors",
    "JSON of 16 MB": "config.json",
    "JSON, 6 million numbers 900 lists down": "config.json",
    "YAML of 12 MB": "config.yaml",
    "YAML, 4 million texts 900 lists down": "config.yaml",
    "Python of 10 MB": "modeling_x.py",
    "TorchScript, 16 MB of spaces": "model.pt",
    "a template of 15 MB": "chat_template.jinja",
}


def main() -> int:
    """Measure all of it; return 1 where an aim is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--picklescan", help="command that scans a path given behind it")
    parser.add_argument("--only", choices=("large", "hostile", "many"), help="measure these alone")
    options = parser.parse_args()
    parts = {options.only} if options.only else {"large", "hostile", "many"}
    missed: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print("| input | wall s | CPU s | peak MB | exit code |\n|---|---|---|---|---|")

        def show(what: str, command: list[str], runs: int = 3) -> Cost:
            best = min((cost(command) for _ in range(runs)), key=lambda each: each.cpu)
            print(
                f"| {what} | {best.wall:.2f} | {best.cpu:.2f} | {best.peak_mb:.0f} | {best.code} |",
                flush=True,
            )
            if command[: len(SCAN)] == SCAN and best.peak_mb > 100:
                missed.append(f"{what}: {best.peak_mb:.0f} MB")
            return best

        if "large" in parts:
            archive, raw = folder / "model.pt", folder / "blobs.pkl"
            apart(lambda: torch_archive(archive))
            blobs(raw)
            own = show("PyTorch archive of 2 GiB", [*SCAN, str(archive)])
            if options.picklescan:
                theirs = show("the same, picklescan", [*shlex.split(options.picklescan), str(archive)])
                if own.cpu > theirs.cpu:
                    missed.append("the archive takes longer than picklescan")
            if show("pickle of 1 GiB of blobs", [*SCAN, str(raw)]).cpu > 0.3:
                missed.append("the pickle of blobs takes more than 0.3 s")
            archive.unlink()
            raw.unlink()
        if "hostile" in parts:
            for what, build in HOSTILE.items():
                path = folder / NAMES.get(what, "hostile.bin")
                apart(lambda path=path, build=build: path.write_bytes(build()))
                show(what, [*SCAN, str(path)], runs=1)
                path.unlink()
        if "many" in parts:
            crowd = folder / "many"
            crowd.mkdir()
            many(crowd)
            ratios = []
            for _ in range(3):
                one, two = (cost([*SCAN, "--jobs", jobs, str(crowd)]) for jobs in ("1", "2"))
                ratios.append(one.wall / two.wall)
            ratio = statistics.median(ratios)
            print(f"\n{FILES:,} files: two workers are {ratio:.2f} times as fast as one (median of 3).")
            if ratio < 1.7:
                missed.append("two workers are less than 1.7 times as fast as one")
    print(f"Aims missed: {'; '.join(missed) or 'none'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
