# ruff: noqa: T201
"""Print the score of the model check by family, and every miss.

python -m tests.corpus.score [--family TEXT] [--all]
"""

import argparse
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from tests.checks.models.building import File, file, judged, link, scope
from tests.corpus.sample import Link, Sample, honest, hostile

from mlgate.checks.models import collect
from mlgate.core.severity import Severity


class Answer(NamedTuple):
    """What the model check said about one sample."""

    sample: Sample
    worst: Severity | None
    not_checked: tuple[str, ...]
    rules: tuple[str, ...]

    @property
    def flagged(self) -> bool:
        """A finding at high or worse."""
        return self.worst is not None and self.worst >= Severity.HIGH

    @property
    def passes(self) -> bool:
        """Exit code 0 by the default policy."""
        return not self.flagged and not self.not_checked

    @property
    def silent(self) -> bool:
        """It passes, where even a medium was not said, or more than that was asked for."""
        medium = self.worst is not None and self.worst >= Severity.MEDIUM
        return self.passes and not (medium and self.sample.expect == "medium")

    @property
    def missed(self) -> bool:
        """A file that runs code is not flagged, or one that is not checked passes."""
        return not self.flagged if self.sample.expect == "high" else self.silent

    @property
    def alarm(self) -> bool:
        """An honest file is stopped."""
        return self.flagged or bool(self.not_checked)


def answer(sample: Sample) -> Answer:
    """Run the model check over a sample."""
    files: dict[str, bytes | File] = {
        path: link(path, data.to) if isinstance(data, Link) else file(path, data)
        for path, data in sample.files.items()
    }
    seen = collect(scope(files))
    findings = judged(seen)
    worst = max((each.severity for each in findings), key=lambda each: each.rank, default=None)
    rules = tuple(sorted({f"{each.rule} {each.severity.value}: {each.subject}" for each in findings}))
    gaps = tuple(sorted({f"{each.reason}: {each.message}" for each in seen.not_checked}))
    return Answer(sample, worst, gaps, rules)


def table(answers: Iterable[Answer]) -> dict[str, Counter[str]]:
    """Count by family."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for each in answers:
        family = counts[each.sample.family]
        family["n"] += 1
        family["flagged"] += each.flagged
        family["medium"] += each.worst is Severity.MEDIUM and not each.not_checked
        family["not checked"] += bool(each.not_checked) and not each.flagged
        family["passed"] += each.silent
        family["missed"] += each.missed
        family["asked high"] += each.sample.expect == "high"
        family["alarm"] += each.alarm
    return counts


def main() -> int:
    """Print the tables; return 1 where something is missed or stopped."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--family", default="", help="only families that hold this text")
    parser.add_argument("--only", choices=("hostile", "honest"))
    arguments = parser.parse_args()
    started = time.process_time()
    wrong = 0
    if arguments.only != "honest":
        answers = [answer(each) for each in hostile() if arguments.family in each.family]
        print(
            f"{'hostile family':44} {'n':>5} {'>=high':>7} {'medium':>7} {'not chk':>7} {'passed':>7} {'missed':>7}"
        )
        total: Counter[str] = Counter()
        for family, count in table(answers).items():
            total += count
            print(
                f"{family:44} {count['n']:5} {count['flagged']:7} {count['medium']:7} {count['not checked']:7} {count['passed']:7} {count['missed']:7}"
            )
        flagged = sum(each.flagged for each in answers if each.sample.expect == "high")
        print(
            f"{'total':44} {total['n']:5} {total['flagged']:7} {total['medium']:7} {total['not checked']:7} {total['passed']:7} {total['missed']:7}"
        )
        print(
            f"of {total['asked high']} that must be high: {flagged} ({100 * flagged / max(1, total['asked high']):.2f}%)\n"
        )
        for each in answers:
            if each.missed:
                wrong += 1
                said = "; ".join(each.rules + each.not_checked) or "nothing"
                print(
                    f"MISS {'(passes) ' if each.silent else ''}[{each.sample.family}] {each.sample.name} | {each.sample.technique} | {', '.join(map(str, each.sample.files))} | said: {said[:300]}"
                )
    if arguments.only != "hostile":
        answers = [answer(each) for each in honest() if arguments.family in each.family]
        print(f"\n{'honest family':44} {'n':>5} {'alarms':>7} {'medium':>7}")
        for family, count in table(answers).items():
            print(f"{family:44} {count['n']:5} {count['alarm']:7} {count['medium']:7}")
        for each in answers:
            if each.alarm:
                wrong += 1
                print(
                    f"ALARM [{each.sample.family}] {each.sample.name} | said: {'; '.join(each.rules + each.not_checked)[:400]}"
                )
            elif each.worst is Severity.MEDIUM:
                print(f"medium [{each.sample.family}] {each.sample.name} | {'; '.join(each.rules)[:300]}")
    print(f"\nCPU {time.process_time() - started:.1f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
