"""One assessment from its policy entry to figures, or to the reason why there are none."""

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import UNSET, Struct

from mlgate import __version__
from mlgate.checks import Scope
from mlgate.checks.assessment import data
from mlgate.checks.assessment.classifier import Classifier
from mlgate.checks.assessment.inputs import Content
from mlgate.checks.assessment.labels import label_columns, regression_values
from mlgate.checks.assessment.measure import Figure, Subject
from mlgate.checks.assessment.model import Request
from mlgate.checks.assessment.opening import Opener, version
from mlgate.checks.assessment.problems import Unassessable
from mlgate.checks.assessment.regressor import Regressor
from mlgate.checks.assessment.sandbox.walls import Wall
from mlgate.checks.assessment.sandbox.worker import Worker
from mlgate.core.discovery import module, names
from mlgate.core.facts import Check, Fact, Location, Measurement, NotChecked, Observations, Source

if TYPE_CHECKING:
    from mlgate.policy.assessment import Assessment

_MEASURES = "mlgate.checks.assessment.measures"


class _Inputs(Struct, frozen=True):
    model: Content
    data: Content
    loader: Any


class Run:
    """One assessment.

    Args:
        scope: Of the check.
        index: Of the assessment in the policy.

    Attributes:
        facts: What was observed so far.
        figures: What was measured so far.
        gaps: What could not be.
        walls: Of the sandbox, once it stands.
    """

    def __init__(self, scope: Scope, index: int) -> None:
        self._scope = scope
        self._key = f"assessment[{index}]"
        self._entry: Assessment = scope.policy.policy.assessment[index]
        self.facts: list[Fact] = []
        self.figures: list[Measurement] = []
        self.gaps: list[NotChecked] = []
        self.walls: tuple[Wall, ...] = ()
        self._opener = Opener(scope, self._entry, self._held)

    def observe(self) -> None:
        """Measure all that the policy asks for, cheap before dear.

        What cannot be measured is a gap of its own, and the rest goes on; unless the
        model's worker is at fault, which nothing can be asked any more.

        Raises:
            Unassessable: Nothing (more) can be measured; what was measured before stands.
        """
        entry, limits = self._entry, self._scope.policy.policy.limits
        wanted = self._wanted()
        held = self._opener.content(entry.data, "data")
        model = self._opener.model(entry.model, "model")
        inputs = _Inputs(model, held, self._opener.loader(model, entry.model, "model"))
        dataset = data.load(held.data, entry, limits.data_bytes, held.path)
        self._scope.progress(f"{entry.name}: loading {model.path} in the sandbox")
        request = self._opener.request(entry.model, "model", dataset)
        with self._opener.worker(inputs.loader, request, entry.model, "model") as worker:
            self.walls = worker.walls
            signature = worker.load(inputs.model.data)
            data.agree(dataset, signature)
            x = data.fit(dataset.x, signature, dataset.name, dataset.apart)
            self._scope.progress(f"{entry.name}: scoring {len(x)} samples")
            subject = self._subject(worker, dataset, x, inputs, request)
            while wanted:
                key, measure, settings = wanted.pop(0)
                self._scope.progress(f"{entry.name}: {key}")
                try:
                    self._measure(measure, key, subject, settings)
                except Unassessable as problem:
                    if problem.reason.startswith("worker-") and wanted:
                        left = ", ".join(other for other, _, _ in wanted)
                        raise Unassessable(
                            problem.reason, f"{problem.message}; not measured: {left}", problem.key or key
                        ) from problem
                    self.gaps.append(self.not_checked(problem, key))

    def place(self, key: str) -> Location:
        """Return where the policy says ``key``; the model where the policy is no file."""
        policy = self._scope.policy
        if policy.path is None:
            return Location(self._entry.model.path)
        whole = f"{self._key}.{key}" if key else self._key
        return Location(policy.path, line=policy.line(whole))

    def not_checked(self, problem: Unassessable, key: str = "") -> NotChecked:
        """Turn a problem into what the report says; ``key`` is at fault where it names none."""
        return NotChecked(
            Check.ASSESSMENT,
            problem.reason,
            self.place(problem.key or key),
            problem.message,
            self._entry.name,
        )

    def _wanted(self) -> list[tuple[str, Any, Any]]:
        """Return what the policy asks for: key, measure and settings, cheap before dear."""
        known = {name: module(_MEASURES, name) for name in names(_MEASURES)}
        wanted: list[tuple[str, Any, Any]] = [
            (key, measure, getattr(self._entry, key))
            for key, measure in known.items()
            if getattr(self._entry, key) is not UNSET or measure.ALWAYS
        ]
        if all(settings is UNSET for _, _, settings in wanted):
            raise Unassessable(
                "no-threshold",
                f"assessment {self._entry.name} asks for none of {', '.join(sorted(known))}: "
                "nothing can be judged",
            )
        return sorted(wanted, key=lambda each: each[1].ORDER)

    def _measure(self, measure: Any, key: str, subject: Subject, settings: Any) -> None:
        if self._entry.task not in measure.TASKS:
            raise Unassessable("wrong-task", f"{key} is no question for a {self._entry.task}", key)
        kind = "text" if subject.x.dtype.kind in "OU" else "numbers"
        if kind not in measure.INPUTS:
            raise Unassessable("wrong-input", f"{key} cannot be measured on features that are {kind}", key)
        for figure in measure.measure(subject, settings):
            self._add(figure)

    def _add(self, figure: Figure) -> None:
        measured = figure.measurement
        self.figures.append(measured)
        place = self.place(figure.key)
        subject = "/".join(part for part in (measured.assessment, measured.name, measured.part) if part)
        seen = {
            **measured.detail,
            "name": measured.name,
            "family": measured.family,
            "part": measured.part,
            "value": measured.value,
            "low": measured.low,
            "high": measured.high,
            "n": measured.n,
            "threshold": measured.threshold,
            "limit": measured.bound,
            "outcome": measured.outcome,
            "model": self._entry.model.path,
            "data": self._entry.data.path,
        }
        self.facts.append(Fact("assessment.measurement", place, subject, seen))
        if figure.gap is not None:
            reason, message = figure.gap
            self.gaps.append(NotChecked(Check.ASSESSMENT, reason, place, message, self._entry.name))

    def _subject(
        self, worker: Worker, dataset: data.Dataset, x: Any, inputs: _Inputs, request: Request
    ) -> Subject:
        detail = self._versions(inputs, dataset, x) | _built(request)
        twin: str | None = inputs.loader.TWIN
        model: Any
        labels: Any
        if self._entry.task == "regression":
            model = Regressor(worker, x)
            labels = regression_values(dataset, model.clean.shape[1])
        else:
            model = Classifier(worker, x)
            labels = label_columns(dataset, model.first, model.columns)
        return Subject(
            entry=self._entry,
            model=model,
            dataset=dataset,
            x=x,
            labels=labels,
            detail={**detail, "scores": model.meaning},
            progress=self._scope.progress,
            read=lambda other, key: self._opener.beside(other, key, dataset),
            load=lambda other, key: self._opener.other(other, key, dataset),
            twin=None if twin is None else lambda: self._opener.twin(twin, inputs.model, request, model),
        )

    def _held(self, which: str, content: Content, expected: str) -> None:
        """Note that a file was held against the digest that the policy names."""
        seen = {"file": content.path, "which": which, "expected": expected, "found": content.sha256}
        subject = f"{self._entry.name}/{which}"
        self.facts.append(Fact("assessment.digest", self.place(f"{which}.sha256"), subject, seen))

    def _versions(self, inputs: _Inputs, dataset: data.Dataset, x: Any) -> dict[str, Any]:
        packages = {name: version(name) for name in inputs.loader.REQUIRES}
        return {
            "model_sha256": inputs.model.sha256,
            "data_sha256": inputs.data.sha256,
            "input_shape": [int(size) for size in x.shape[1:]],
            "data_shape": [int(size) for size in dataset.x.shape[1:]],
            "dtype": str(x.dtype),
            "distinct_samples": dataset.distinct,
            "versions": {"mlgate": __version__, **packages},
            "sandbox": {wall.name: wall.stands for wall in self.walls},
        }


def _built(request: Request) -> dict[str, Any]:
    """Return what built the model around its weights."""
    if request.architecture is None:
        return {}
    sources = {
        path: hashlib.sha256(text.encode()).hexdigest() for path, text in sorted(request.sources.items())
    }
    return {
        "architecture": request.architecture,
        "arguments": dict(request.arguments),
        "architecture_sha256": sources,
    }


def sandbox(walls: tuple[Wall, ...]) -> Source:
    """Say which walls stood around the models, and which did not."""
    standing = [f"{wall.name} ({wall.note})" for wall in walls if wall.stands]
    lacking = [f"{wall.name} ({wall.note})" for wall in walls if not wall.stands]
    summary = f"models ran behind {'; '.join(standing) or 'no wall but their own process'}"
    if lacking:
        summary += f"; not standing: {'; '.join(lacking)}"
    detail = {wall.name: {"stands": wall.stands, "note": wall.note} for wall in walls}
    return Source(Check.ASSESSMENT, "sandbox", summary, detail)


def observe(scope: Scope, index: int) -> tuple[Observations, tuple[Wall, ...]]:
    """Run one assessment; whatever goes wrong is said, and the others go on."""
    run = Run(scope, index)
    try:
        with np.errstate(all="ignore"):
            run.observe()
    except Unassessable as problem:
        run.gaps.append(run.not_checked(problem))
    except MemoryError:
        large = Unassessable("limit", "the data needs more memory than there is", "data.path")
        run.gaps.append(run.not_checked(large))
    except Exception as error:  # noqa: BLE001 - the wall around one assessment's hostile files
        message = f"the assessment failed: {type(error).__name__}: {error}; please report this"
        run.gaps.append(run.not_checked(Unassessable("assessment-failed", message)))
    return Observations(tuple(run.facts), tuple(run.gaps), measurements=tuple(run.figures)), run.walls
