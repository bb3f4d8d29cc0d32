"""CPU time of ``mlgate scan`` on one small file, against an interpreter that does nothing.

    python benchmarks/startup.py [--runs N]

CPU time and not wall time, because it does not depend on what else the machine does;
the median of several runs, because caches and clock rates do change it.
"""

import argparse
import pickle
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path


def cpu_seconds(command: list[str], cwd: str) -> float:
    """Run a command; return the user and system time that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def median(command: list[str], cwd: str, runs: int) -> float:
    """Return the median CPU time of ``runs`` runs, after one that fills the caches."""
    cpu_seconds(command, cwd)
    return statistics.median(cpu_seconds(command, cwd) for _ in range(runs))


def main() -> int:
    """Measure both and print them with their ratio."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "small.pkl").write_bytes(pickle.dumps({"weights": [0.5] * 8}))
        bare = median([sys.executable, "-I", "-c", "pass"], folder, runs)
        scan = median([sys.executable, "-I", "-m", "mlgate", "scan", "small.pkl"], folder, runs)
    print("| command | CPU ms, median |")
    print("|---|---|")
    print(f"| `python -c pass` | {bare * 1000:.0f} |")
    print(f"| `mlgate scan small.pkl` | {scan * 1000:.0f} |")
    print(f"\nRatio: {scan / bare:.1f} ({runs} runs each, Python {sys.version.split()[0]})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
