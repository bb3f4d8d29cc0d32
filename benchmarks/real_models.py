"""Scan the model files of real packages: false alarms, gaps and speed.

    python benchmarks/real_models.py [--wheels DIR] [--only NAME ...]

Downloads the wheels that real-models.tsv pins (or takes them from DIR), unzips them
without installing or importing anything, runs ``mlgate scan`` on each folder and prints
a Markdown table. These are honest packages: the exit code is 1 where the scan of one
crashed, or found something of severity high or worse.
"""

import argparse
import csv
import json
import resource
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

PINS = Path(__file__).with_name("real-models.tsv")
SEVERITIES = ("critical", "high", "medium", "low", "info")
OPAQUE = "opaque"


class Scan(NamedTuple):
    """What a scan of one package said, and what it cost."""

    pin: str
    report: dict[str, Any]
    cpu_seconds: float

    @property
    def alarms(self) -> list[dict[str, Any]]:
        """Findings of severity high or worse."""
        return [each for each in self.report["findings"] if each["severity"] in ("critical", "high")]


def wheel_of(pin: str, wheels: Path) -> Path:
    """Return the wheel of a pin below ``wheels``; download it where it is not there."""
    name, _, version = pin.partition("==")
    pattern = f"{name.replace('-', '_')}-{version}-*.whl"
    found = sorted(wheels.glob(pattern))
    if not found:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        subprocess.run([*command, "--ignore-requires-python", "--dest", str(wheels), pin], check=True)
        found = sorted(wheels.glob(pattern))
    if not found:
        sys.exit(f"{pin}: no wheel named {pattern} in {wheels}")
    return found[0]


def scan(pin: str, wheel: Path) -> Scan | str:
    """Unzip and scan; return the scan, or what went wrong."""
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        result = subprocess.run(
            [sys.executable, "-I", "-m", "mlgate", "scan", "--report", "json", "."],
            cwd=folder,
            capture_output=True,
            check=False,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        report = json.loads(result.stdout)
    except ValueError:
        return f"exit code {result.returncode}: {result.stderr.decode('utf-8', 'replace')[-500:]}"
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Scan(pin, report, seconds)


def row(done: Scan) -> str:
    """Return one row of the table."""
    report = done.report
    formats = Counter(each["format"] for each in report["inventory"] if each["format"] != OPAQUE)
    reasons = Counter(each["reason"] for each in report["not_checked"])
    severities = Counter(each["severity"] for each in report["findings"])
    cells = (
        done.pin,
        str(report["files_seen"]),
        _list(formats),
        _list(reasons),
        ", ".join(f"{severities[name]} {name}" for name in SEVERITIES if severities[name]) or "none",
        report["verdict"],
        f"{done.cpu_seconds:.2f}",
    )
    return f"| {' | '.join(cells)} |"


def _list(counted: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counted.most_common()) or "none"


def main() -> int:
    """Scan every pin; return 1 where one crashed or raised an alarm."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--wheels", type=Path, help="folder that holds, and keeps, the wheels")
    parser.add_argument("--only", nargs="*", help="names of packages; the default is all of them")
    arguments = parser.parse_args()
    with PINS.open(newline="", encoding="utf-8") as file:
        pins = [line["pin"] for line in csv.DictReader(file, delimiter="\t")]
    if arguments.only:
        pins = [pin for pin in pins if pin.partition("==")[0] in arguments.only]
    wrong: list[str] = []
    print("| package | files | model files | not checked | findings | verdict | CPU s |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as temporary:
        wheels = arguments.wheels or Path(temporary)
        wheels.mkdir(parents=True, exist_ok=True)
        for pin in pins:
            done = scan(pin, wheel_of(pin, wheels))
            if isinstance(done, str):
                wrong.append(f"{pin}: {done}")
                continue
            print(row(done), flush=True)
            wrong += [f"{pin}: {each['rule']} {each['path']}: {each['message']}" for each in done.alarms]
    print(f"\n{len(pins)} packages; {len(wrong)} false alarms or crashes.")
    for each in wrong:
        print(f"- {each}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
