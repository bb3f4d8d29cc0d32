"""Gate the two example repositories, show both reports, and say what they mean.

Exits with 0 where both outcomes are the expected ones, and with 1 where one is not.
Needs nothing but the standard library and an installed mlgate.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
REPORTS = HERE.parent / "demo-report"
FORMATS = {"html": "html", "json": "json", "sarif": "sarif"}


class Reason(NamedTuple):
    """Something that the gate must object to: the check, the file, and words for people."""

    check: str
    path: str
    words: str


class Example(NamedTuple):
    """A repository, the exit code that it must get, and why."""

    name: str
    exit_code: int
    verdict: str
    introduction: str
    reasons: tuple[Reason, ...] = ()


EXAMPLES = (
    Example("passing", 0, "pass", "A repository that keeps its promises."),
    Example(
        "blocked",
        1,
        "fail",
        "The same service with three things wrong at once.",
        (
            Reason("models", "models/classifier.pkl", "a pickle that runs a shell command when it is loaded"),
            Reason("dependencies", "requirements.txt", "a pinned version with a known vulnerability"),
            Reason("assessment", ".mlgate.yaml", "a model that small changes or pale images mislead"),
        ),
    ),
)


def gate(example: Example) -> tuple[int, Any]:
    """Run ``mlgate check``, its report on this terminal; return its exit code and its JSON report."""
    files = {kind: REPORTS / f"{example.name}.{ending}" for kind, ending in FORMATS.items()}
    for file in files.values():
        file.unlink(missing_ok=True)
    command = [sys.executable, "-I", "-m", "mlgate", "check", str(HERE / example.name), "--offline"]
    command += ["--report", "terminal", *(f"--report={kind}={file}" for kind, file in files.items())]
    shown = f"mlgate check examples/{example.name}"
    print(f"\n=== {example.introduction}\n$ {shown}\n", flush=True)
    code = subprocess.run(command, check=False).returncode
    report = json.loads(files["json"].read_text(encoding="utf-8")) if files["json"].is_file() else {}
    for kind in ("html", "sarif"):
        if not files[kind].is_file():
            print(f"There is no {kind} report.")
            code = -1
    return code, report


def surprises(example: Example, code: int, report: Any) -> list[str]:
    """Return what differs from the expected outcome."""
    found = []
    if code != example.exit_code:
        found.append(f"exit code {code} instead of {example.exit_code}")
    if report.get("verdict") != example.verdict:
        found.append(f"verdict {report.get('verdict')} instead of {example.verdict}")
    blocking = {
        (each["check"], each["path"]) for each in report.get("findings", ()) if each.get("blocks", True)
    }
    found += [
        f"not found: {reason.words}"
        for reason in example.reasons
        if (reason.check, reason.path) not in blocking
    ]
    return found


def main() -> int:
    """Run both examples; return 0 where both came out as expected."""
    REPORTS.mkdir(exist_ok=True)
    wrong = []
    for example in EXAMPLES:
        code, report = gate(example)
        unexpected = surprises(example, code, report)
        wrong += [f"{example.name}: {each}" for each in unexpected]
        print(f"\nExit code {code}: {example.verdict}." if not unexpected else "\nThis is not as expected.")
        for reason in example.reasons:
            print(f"  - {reason.path}: {reason.words}")
    print("\n=== What you have seen")
    print("  0  pass       everything in scope was checked, and nothing reaches its threshold")
    print("  1  fail       at least one finding does: this may not merge")
    print("  2  undecided  something could not be checked, which is never the same as a pass")
    print("\nThe same reports as pages to open in a browser, and for machines:")
    for example in EXAMPLES:
        for ending in FORMATS.values():
            print(f"  demo-report/{example.name}.{ending}")
    if wrong:
        print("\nThe demo FAILED:", *wrong, sep="\n  - ")
        return 1
    print("\nBoth outcomes are as expected. Now your own: mlgate init, then mlgate check.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
