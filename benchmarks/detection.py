"""Detection and false alarms on the corpus of tests/corpus, beside four scanners from PyPI.

    python benchmarks/detection.py [--every N] [--tools DIR]

Writes every Nth sample of each family into a temporary folder, installs the scanners into a
virtual environment (or takes the one at DIR), and runs each on the same folders by its command
line: mlgate, picklescan, modelscan and modelaudit one folder at a time, fickling, which takes
single files, on the samples of one file. A sample counts as flagged where the tool's own exit
code would fail for it. Prints a Markdown table; nothing is loaded, and nothing is sent.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import venv
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.corpus.sample import Link, honest, hostile

PACKAGES = ("picklescan", "modelscan", "fickling", "modelaudit")
# Where a program cannot say what it would send, nothing is asked of it.
QUIET = {"PROMPTFOO_DISABLE_TELEMETRY": "1", "NO_ANALYTICS": "1", "CI": "1", "NO_COLOR": "1"}
SECONDS = 600
# They would measure patience, not detection.
LEFT_OUT = frozenset({"archives: bombs"})
COARSE = (
    ("pickle", ("pickle",)),
    ("numpy, joblib, torch", ("numpy", "joblib", "torch")),
    ("keras, tensorflow, onnx, tflite", ("keras", "tensorflow", "onnx", "tflite", "executorch")),
    ("gguf, templates, safetensors", ("gguf", "templates", "safetensors")),
    ("archives, executables, other data", ("archives", "executables", "data")),
    ("repositories and configurations", ()),
)


# The files of each sample, by its folder.
Known = dict[str, list[str]]


class Cost(NamedTuple):
    """What the runs of one tool took."""

    seconds: float = 0.0
    peak: int = 0


class Outcome(NamedTuple):
    """What one tool said: the folders of the samples that it flags, and of those it cannot judge."""

    flagged: frozenset[str]
    undecided: frozenset[str]
    cost: Cost
    gave_up: int = 0


def coarse(family: str) -> str:
    """Return the row of a family."""
    return next((row for row, starts in COARSE if family.startswith(starts)), COARSE[-1][0])


def write(root: Path, every: int) -> None:
    """Write every Nth sample of each family below ``root``, and an index of them."""
    places: dict[str, dict[str, list[str]]] = {"hostile": {}, "honest": {}}
    for kind, samples in (("hostile", hostile()), ("honest", honest())):
        counted: Counter[str] = Counter()
        for sample in samples:
            counted[sample.family] += 1
            linked = any(isinstance(data, Link) for data in sample.files.values())
            asked = sample.expect in {"high", "quiet"}
            if counted[sample.family] % every or linked or not asked or sample.family in LEFT_OUT:
                continue
            row = [name for name, _ in COARSE].index(coarse(sample.family))
            folder = f"r{row}/s{len(places[kind]):05}"
            places[kind][folder] = list(sample.files)
            for path, data in sample.files.items():
                target = root / kind / folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data if isinstance(data, bytes) else b"")
    (root / "index.json").write_text(json.dumps(places))


def run(command: list[str], cwd: Path) -> tuple[str, int, Cost]:
    """Run a command; return its output, exit code (124: it took too long) and cost."""
    environment = {**os.environ, **QUIET, "HOME": str(cwd)}
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            stdout=out,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            env=environment,
        )
        end = time.monotonic() + SECONDS
        while True:
            pid, status, used = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > end:
                process.kill()
                _, _, used = os.wait4(process.pid, 0)
                status = 124 << 8
                break
            time.sleep(0.01)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read().decode("utf-8", "replace")
    return text, process.returncode, Cost(used.ru_utime + used.ru_stime, used.ru_maxrss)


def folder_of(path: str, known: Known, row: str = "") -> str | None:
    """Return the sample's folder that a tool names somehow in a path."""
    parts = path.replace("\\", "/").split("/")
    for index, part in enumerate(parts):
        if len(part) == 6 and part[0] == "s" and part[1:].isdigit():
            before = parts[index - 1] if index else row
            for folder in (f"{before}/{part}", f"{row}/{part}"):
                if folder in known:
                    return folder
    return None


def mlgate(root: Path, row: str, known: Known, _tools: Path) -> Iterator[tuple[str, str]]:
    """Yield what mlgate says about one row's folder, and at last its cost."""
    text, code, cost = run([sys.executable, "-m", "mlgate", "scan", "--report", "json", row], root)
    report = json.loads(text)
    for each in report["findings"]:
        if each["severity"] in {"critical", "high"}:
            yield "flagged", folder_of(each["path"], known, row) or ""
    for each in report["not_checked"]:
        yield "undecided", folder_of(each["path"], known, row) or ""
    yield from _cost(code, cost)


def picklescan(root: Path, row: str, known: Known, tools: Path) -> Iterator[tuple[str, str]]:
    """Yield what picklescan says."""
    text, code, cost = run([str(tools / "bin/picklescan"), "-p", row], root)
    for line in text.splitlines():
        if ": dangerous import" in line:
            yield "flagged", folder_of(line.partition(": dangerous import")[0], known, row) or ""
    yield from _cost(code, cost)


def modelscan(root: Path, row: str, known: Known, tools: Path) -> Iterator[tuple[str, str]]:
    """Yield what modelscan says."""
    out = root / "modelscan.json"
    out.unlink(missing_ok=True)
    _, code, cost = run([str(tools / "bin/modelscan"), "scan", "-p", row, "-r", "json", "-o", str(out)], root)
    if out.exists():
        for each in json.loads(out.read_text()).get("issues", ()):
            yield "flagged", folder_of(str(each.get("source", "")).partition(":")[0], known, row) or ""
    yield from _cost(code, cost)


def modelaudit(root: Path, row: str, known: Known, tools: Path) -> Iterator[tuple[str, str]]:
    """Yield what modelaudit says."""
    out = root / "modelaudit.json"
    out.unlink(missing_ok=True)
    command = [str(tools / "bin/modelaudit"), "scan", "-q", "--no-cache", "-f", "json", "-o", str(out), row]
    _, code, cost = run(command, root)
    if out.exists():
        for each in json.loads(out.read_text()).get("issues", ()):
            if each.get("severity") in {"critical", "warning"}:
                yield (
                    "flagged",
                    folder_of(str(each.get("location") or "").partition(":")[0], known, row) or "",
                )
    yield from _cost(code, cost)


def fickling(root: Path, row: str, known: Known, tools: Path) -> Iterator[tuple[str, str]]:
    """Yield what fickling says about each sample of one file."""
    for folder, files in known.items():
        if folder.startswith(f"{row}/") and len(files) == 1:
            path = root / folder / files[0]
            report = str(root / "fickling.json")
            _, code, cost = run(
                [str(tools / "bin/fickling"), "--check-safety", "--json-output", report, str(path)], root
            )
            if code == 1:
                yield "flagged", folder
            yield from _cost(0 if code in {0, 1} else code, cost)


def _cost(code: int, cost: Cost) -> Iterator[tuple[str, str]]:
    yield "cost", f"{cost.seconds} {cost.peak}"
    if code not in {0, 1, 2, 3, 4}:
        yield "gave up", ""


TOOLS: dict[str, Callable[..., Iterator[tuple[str, str]]]] = {
    "mlgate": mlgate,
    "picklescan": picklescan,
    "modelscan": modelscan,
    "fickling": fickling,
    "modelaudit": modelaudit,
}


def outcome(name: str, root: Path, known: Known, tools: Path) -> Outcome:
    """Run one tool over every row's folder."""
    said: dict[str, set[str]] = defaultdict(set)
    seconds, peak, gave_up = 0.0, 0, 0
    for row in sorted({folder.partition("/")[0] for folder in known}):
        for kind, value in TOOLS[name](root, row, known, tools):
            if kind == "cost":
                seconds += float(value.split()[0])
                peak = max(peak, int(value.split()[1]))
            elif kind == "gave up":
                gave_up += 1
            else:
                said[kind].add(value)
    flagged = frozenset(said["flagged"] & known.keys())
    undecided = frozenset(said["undecided"] & known.keys()) - flagged
    return Outcome(flagged, undecided, Cost(seconds, peak), gave_up)


def install(tools: Path) -> dict[str, str]:
    """Make the environment where it is not there; return the versions that it has."""
    python = tools / "bin/python"
    if not python.exists():
        venv.create(tools, with_pip=True)
        for package in PACKAGES:
            more = ("typing_extensions",) if package == "fickling" else ()
            subprocess.run([str(python), "-m", "pip", "install", "--quiet", package, *more], check=False)
    listed = subprocess.run(
        [str(python), "-m", "pip", "list", "--format", "json"], capture_output=True, check=True
    )
    return {each["name"]: each["version"] for each in json.loads(listed.stdout)}


def main() -> int:
    """Print the table; return 1 where mlgate raises a false alarm."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--every", type=int, default=10, help="take every Nth sample of a family (1: all)")
    parser.add_argument("--tools", type=Path, help="a virtual environment that has the scanners, or will")
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.write:
        write(arguments.write, arguments.every)
        return 0
    with tempfile.TemporaryDirectory() as temporary:
        base = Path(temporary)
        tools = (arguments.tools or base / "tools").resolve()
        versions = install(tools)
        # In a process of its own: a child's peak counts from what its parent has.
        command = [sys.executable, __file__, "--every", str(arguments.every), "--write", str(base)]
        subprocess.run(command, check=True)
        index = json.loads((base / "index.json").read_text())
        bad, good = index["hostile"], index["honest"]
        names = ["mlgate", *(name for name in PACKAGES if name in versions)]
        results = {
            name: (
                outcome(name, base / "hostile", bad, tools),
                outcome(name, base / "honest", good, tools),
            )
            for name in names
        }
    _show(results, bad, good, versions)
    return 1 if results["mlgate"][1].flagged else 0


def _show(
    results: dict[str, tuple[Outcome, Outcome]], bad: Known, good: Known, versions: dict[str, str]
) -> None:
    rows = sorted({folder.partition("/")[0] for folder in bad})
    heads = [COARSE[int(row[1:])][0] for row in rows]
    print(f"{len(bad)} hostile samples that run code or reach out, {len(good)} honest ones:\n")
    print(f"| tool | flagged | {' | '.join(heads)} | false alarms | CPU s | peak MB |")
    print("|---" * (len(rows) + 5) + "|")
    for name, (found, alarms) in results.items():
        label = name if name == "mlgate" else f"{name} {versions[name]}"
        shares = " | ".join(_share(found.flagged, bad, row) for row in ("", *rows))
        seconds = found.cost.seconds + alarms.cost.seconds
        peak = max(found.cost.peak, alarms.cost.peak) // 1024
        print(f"| {label} | {shares} | {len(alarms.flagged)} of {len(good)} | {seconds:.0f} | {peak} |")
    for missing in sorted(set(PACKAGES) - versions.keys()):
        print(f"| {missing} | could not be installed here |" + " |" * (len(rows) + 3))
    ours = results["mlgate"][0]
    passed = len(bad) - len(ours.flagged) - len(ours.undecided)
    print(f"\nOf the hostile samples mlgate left {len(ours.undecided)} undecided and passed {passed}.")
    broken = sum(each.gave_up for pair in results.values() for each in pair)
    if broken:
        print(f"{broken} runs broke off or took longer than {SECONDS} s; what they had said by then counts.")


def _share(flagged: frozenset[str], known: Known, row: str) -> str:
    here = [folder for folder in known if folder.startswith(row)]
    return f"{100 * sum(folder in flagged for folder in here) / max(1, len(here)):.1f}%"


if __name__ == "__main__":
    sys.exit(main())
