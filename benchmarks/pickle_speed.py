"""Time the pickle engine beside others in one run, and measure what hostile pickles make it hold.

    python benchmarks/pickle_speed.py [--memory]

Beside it run CPython's unpickler in C (which finds stand-ins for every name), the tokenizer of
``pickletools``, and picklescan where it can be imported. ``--memory`` also reads large hostile
pickles, each in a process of its own. CPU time, best of three.
"""

import _pickle
import argparse
import array
import datetime as dt
import decimal
import io
import pickle
import pickletools
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mlgate.checks.models.pickle.streams import Reading
from mlgate.checks.models.reader import Clock
from mlgate.core.limits import Limits

try:
    from picklescan.scanner import scan_pickle_bytes
except ImportError:
    scan_pickle_bytes = None


class Inert(_pickle.Unpickler):
    """CPython's unpickler, which finds a function that does nothing under every name."""

    def find_class(self, _module, _name):
        return nothing

    def persistent_load(self, _pid):
        return None


def nothing(*_args):
    """Stand for whatever a pickle calls."""


def ours(data):
    """Read with mlgate's engine and return it."""
    reading = Reading(io.BytesIO(data), len(data), Limits(), Clock(1000))
    reading.run()
    assert reading.limit is None
    assert reading.streams[0].ending == "stop"
    return reading


def words(opcodes, protocol):
    """A dict of about so many opcodes."""
    return pickle.dumps({f"key{number}": number for number in range(opcodes // 3)}, protocol)


def streams():
    """Yield names and pickles that are dense with opcodes."""
    yield "dict, 1e6 opcodes, protocol 2", words(1_000_000, 2)
    yield "dict, 1e6 opcodes, protocol 4", words(1_000_000, 4)
    yield "list of 1e6 ints", pickle.dumps(list(range(1_000_000)), 2)
    day = dt.date(2020, 1, 1)
    dates = [day + dt.timedelta(number % 9000) for number in range(75_000)]
    yield "75k REDUCE: dates", pickle.dumps(dates, 2)
    yield "75k REDUCE: decimals", pickle.dumps([decimal.Decimal(number) / 8 for number in range(75_000)], 4)
    yield (
        "75k REDUCE: arrays",
        pickle.dumps([array.array("b", b"%d" % number) for number in range(75_000)], 2),
    )
    yield "64 MiB of blobs", pickle.dumps([bytes(1 << 20) for _ in range(64)], 4)


def seconds(action, times=3):
    """CPU time of an action, the best of some."""
    best = float("inf")
    for _ in range(times):
        start = time.process_time()
        action()
        best = min(best, time.process_time() - start)
    return best


def compare():
    """Print the table of streams."""
    heads = (
        "stream",
        "MB",
        "opcodes",
        "mlgate, MB/s",
        "C unpickler",
        "`genops`",
        "picklescan",
        "to C",
        "to picklescan",
    )
    print(f"| {' | '.join(heads)} |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, data in streams():
        size = len(data) / 1e6
        opcodes = ours(data).streams[0].opcodes
        mine = seconds(lambda data=data: ours(data))
        c = seconds(lambda data=data: Inert(io.BytesIO(data)).load())
        tokens = seconds(lambda data=data: sum(1 for _ in pickletools.genops(data)), 1)
        theirs = None
        if scan_pickle_bytes is not None:
            theirs = seconds(lambda data=data: scan_pickle_bytes(io.BytesIO(data), "x"), 1)
        rate = f"{size / theirs:,.1f}" if theirs else "-"
        ratio = f"{theirs / mine:.1f} times as fast" if theirs else "-"
        print(
            f"| {name} | {size:.1f} | {opcodes:,} | {size / mine:,.1f} | {size / c:,.1f} | "
            f"{size / tokens:,.1f} | {rate} | {mine / c:.1f} times the time | {ratio} |"
        )


def grow():
    """Print how the time grows with the stream."""
    print("\n| opcodes | CPU s | microseconds an opcode |\n|---|---|---|")
    for opcodes in (100_000, 1_000_000, 4_000_000):
        data = words(opcodes, 4)
        taken = seconds(lambda data=data: ours(data))
        print(f"| {opcodes:,} | {taken:.3f} | {taken / opcodes * 1e6:.2f} |")


def text(data):
    return b"X" + len(data).to_bytes(4, "little") + data


def hostile():
    """Yield names and parts of pickles made to be held: head, what is repeated, how often, tail."""
    long = text(b"x" * 250)
    yield "nothing", b"\x80\x02", b"", 0, b"N."
    yield "1 GiB of blobs", b"\x80\x04](", b"B" + (1 << 24).to_bytes(4, "little") + bytes(1 << 24), 64, b"e."
    yield "texts on the stack", b"\x80\x02(", long, 1_600_000, b"t."
    yield "texts in the memo", b"\x80\x04(", b"\x8c\xfa" + b"x" * 250 + b"\x94" + b"0", 1_600_000, b"t."
    yield "short texts in the memo", b"\x80\x04N", b"\x8c\x05abcde\x940", 1_900_000, b"."
    yield "empty lists", b"\x80\x04(", b"]", 1_900_000, b"t."
    yield "lists in the memo", b"\x80\x04N", b"]\x940", 1_900_000, b"."
    yield "lists of texts in the memo", b"\x80\x02N", b"](" + long * 16 + b"e\x940", 100_000, b"."
    yield "lists of texts on the stack", b"\x80\x02(", b"](" + long * 16 + b"e", 100_000, b"t."
    yield (
        "lists that grow late",
        b"\x80\x02N",
        b"]\x940",
        150_000,
        b"N"
        + b"".join(b"j" + (at * 3).to_bytes(4, "little") + b"(" + long * 8 + b"e0" for at in range(49_000))
        + b".",
    )
    yield "marks", b"\x80\x02", b"(", 99_000, b"N."
    yield "marks with texts", b"\x80\x02", b"(" + long * 17, 90_000, b"N."
    yield "results on the stack", b"\x80\x04cacme\nf\n\x94(", b"h\x00)R", 1_900_000, b"t."
    yield "results in the memo", b"\x80\x04cacme\nf\n\x94", b"h\x00)R\x940", 1_900_000, b"."
    yield "results of texts", b"\x80\x02cacme\nf\nq\x00(", b"h\x00(" + long * 16 + b"tR", 90_000, b"t."
    yield "tuples in tuples", b"\x80\x02(", b"(" + long * 16 + b"t" + b"2\x86" * 8, 90_000, b"t."
    yield (
        "persistent ids",
        b"\x80\x02ctorch\nFloatStorage\nq\x00",
        b"",
        0,
        b"".join(
            b"(" + text(b"storage") + b"h\x00" + text(b"%0200d" % at) + text(b"cpu") + b"K\x01tQ0"
            for at in range(99_000)
        )
        + b".",
    )
    yield (
        "a call with texts in texts",
        b"\x80\x02N",
        b"",
        0,
        b"".join(
            b"cacme\nf%d\n(" % at + (b"(" + (b"(" + long * 16 + b"t") * 16 + b"t") * 2 + b"tR0"
            for at in range(1500)
        )
        + b".",
    )
    yield (
        "far memo entries",
        b"\x80\x02N",
        b"",
        0,
        b"N" + b"".join(b"r" + (at * 1000).to_bytes(4, "little") for at in range(19_000)) + b".",
    )
    yield "escaped payloads", b"", b"S'\\x80\\x02c" + b"a" * 100_000 + b"'\n0", 3000, b"N."


def write(path, head, part, times, tail):
    with path.open("wb") as stream:
        stream.write(head)
        block = part * max((1 << 20) // max(len(part), 1), 1)
        per = len(block) // max(len(part), 1) if part else 1
        for _ in range(times // per):
            stream.write(block)
        stream.write(part * (times % per))
        stream.write(tail)


_CHILD = """
import sys, time
from pathlib import Path
from mlgate.checks.models.pickle.streams import Reading
from mlgate.checks.models.reader import Clock
from mlgate.core.limits import Limits
from mlgate.checks.models.route import readers
readers()
with Path(sys.argv[1]).open("rb") as stream:
    size = stream.seek(0, 2)
    start = time.process_time()
    reading = Reading(stream, size, Limits(), Clock(1000))
    reading.run()
    taken = time.process_time() - start
ending = reading.limit.what if reading.limit else reading.streams[-1].ending
# Not ru_maxrss: that begins with what the parent held.
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(size, taken, ending, int(peak.split()[1]) // 1024)
"""


def memory():
    """Print what large and hostile pickles cost. Returns whether all stayed within 100 MB."""
    print("\n| pickle | MB | CPU s | ends | peak MB |\n|---|---|---|---|---|")
    worst = 0
    for name, *parts in hostile():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "x"
            write(path, *parts)
            done = subprocess.run(
                [sys.executable, "-c", _CHILD, str(path)], stdout=subprocess.PIPE, text=True, check=True
            )
        size, taken, ending, peak = done.stdout.split()
        worst = max(worst, int(peak))
        print(f"| {name} | {int(size) / 1e6:,.1f} | {float(taken):.2f} | {ending} | {peak} |", flush=True)
    return worst < 100


def main() -> int:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--memory", action="store_true", help="read large hostile pickles too")
    options = parser.parse_args()
    print(f"{platform.system()} {platform.machine()}, Python {platform.python_version()}:\n")
    compare()
    grow()
    return 0 if not options.memory or memory() else 1


if __name__ == "__main__":
    sys.exit(main())
