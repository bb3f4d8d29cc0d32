"""Time and memory of ``mlgate scan`` on large files and on many, each as a whole process.

    python benchmarks/walls.py [--picklescan COMMAND]

* A PyTorch archive of 2 GiB, and a pickle of 1 GiB made of blobs. Both are sparse files:
  what is measured is that tensor bytes are not read.
* 10,000 small pickles with one worker and with two, in turn; the ratio is of wall times.
* Files that are made to take memory. The aim is a peak below 100 MB for each.

With ``--picklescan`` the archive is scanned by that command too, in the same run.
"""

import argparse
import io
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
    "JSON of 16 MB": lambda: b'{"auto_map": [' + b"[]," * 5_000_000 + b"[]]}",
    "YAML of 12 MB": lambda: b"a: !!python/none\nb: [" + b"x, " * 4_000_000 + b"x]\n",
    "Python of 10 MB": lambda: b"import os\nx = [" + b"os, " * 2_500_000 + b"os]\nexec(x)\n",
}
NAMES = {"a header of 90 MB": "h.safetensors", "JSON of 16 MB": "config.json", "YAML of 12 MB": "config.yaml",
         "Python of 10 MB": "modeling_x.py"}  # fmt: skip


def main() -> int:
    """Measure all of it; return 1 where an aim is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--picklescan", help="command that scans a path given behind it")
    picklescan = parser.parse_args().picklescan
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

        archive, raw = folder / "model.pt", folder / "blobs.pkl"
        apart(lambda: torch_archive(archive))
        blobs(raw)
        own = show("PyTorch archive of 2 GiB", [*SCAN, str(archive)])
        if picklescan:
            theirs = show("the same, picklescan", [*shlex.split(picklescan), str(archive)])
            if own.cpu > theirs.cpu:
                missed.append("the archive takes longer than picklescan")
        if show("pickle of 1 GiB of blobs", [*SCAN, str(raw)]).cpu > 0.3:
            missed.append("the pickle of blobs takes more than 0.3 s")
        archive.unlink()
        raw.unlink()
        for what, build in HOSTILE.items():
            path = folder / NAMES.get(what, "hostile.bin")
            apart(lambda path=path, build=build: path.write_bytes(build()))
            show(what, [*SCAN, str(path)], runs=1)
            path.unlink()
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
