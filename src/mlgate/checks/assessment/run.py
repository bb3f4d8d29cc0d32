"""One assessment from its policy entry to figures, or to the reason why there are none."""

import importlib.metadata
import importlib.util
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import UNSET, Struct

from mlgate import __version__
from mlgate.checks import Scope
from mlgate.checks.assessment import data, performance, robustness
from mlgate.checks.assessment.classifier import Classifier
from mlgate.checks.assessment.inputs import Content, read
from mlgate.checks.assessment.labels import label_columns
from mlgate.checks.assessment.problems import Unassessable
from mlgate.checks.assessment.sandbox.walls import Wall
from mlgate.checks.assessment.sandbox.worker import Worker
from mlgate.core.discovery import modules
from mlgate.core.facts import Check, Fact, Location, Measurement, NotChecked, Observations, Source

if TYPE_CHECKING:
    from mlgate.policy.assessment import Assessment

# Processor time beyond an attack's budget: starting, loading and the clean data.
_SPARE_SECONDS = 3600


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
        walls: Of the sandbox, once it stands.
    """

    def __init__(self, scope: Scope, index: int) -> None:
        self._scope = scope
        self._key = f"assessment[{index}]"
        self._entry: Assessment = scope.policy.policy.assessment[index]
        self.facts: list[Fact] = []
        self.figures: list[Measurement] = []
        self.walls: tuple[Wall, ...] = ()

    def observe(self) -> None:
        """Measure all that the policy asks for.

        Raises:
            Unassessable: Something could not be measured; what was measured before stands.
        """
        entry, limits = self._entry, self._scope.policy.policy.limits
        if entry.performance is UNSET and entry.robustness is UNSET:
            raise Unassessable(
                "no-threshold",
                f"assessment {entry.name} asks for neither performance nor robustness: nothing can be judged",
            )
        if entry.robustness is not UNSET:
            robustness.attacks(entry.robustness.attacks, entry.robustness.norm)
        inputs = self._inputs()
        seed = 0 if entry.robustness is UNSET else entry.robustness.seed
        dataset = data.load(inputs.data.data, entry.data, limits.data_bytes, seed)
        self._scope.progress(f"{entry.name}: loading {inputs.model.path} in the sandbox")
        with Worker(
            inputs.loader,
            memory=limits.worker_bytes,
            seconds=limits.file_seconds,
            cpu_seconds=_SPARE_SECONDS
            + (0 if entry.robustness is UNSET else int(entry.robustness.budget_seconds)),
        ) as worker:
            self.walls = worker.walls
            signature = worker.load(inputs.model.data)
            x = data.fit(dataset.x, signature, dataset.name)
            self._scope.progress(f"{entry.name}: scoring {len(x)} samples")
            self._measure(Classifier(worker, x), dataset, x, self._versions(inputs, dataset, x))

    def place(self, key: str) -> Location:
        """Return where the policy says ``key``; the model where the policy is no file."""
        policy = self._scope.policy
        if policy.path is None:
            return Location(self._entry.model.path)
        whole = f"{self._key}.{key}" if key else self._key
        return Location(policy.path, line=policy.line(whole))

    def not_checked(self, problem: Unassessable) -> NotChecked:
        """Turn a problem into what the report says."""
        return NotChecked(
            Check.ASSESSMENT, problem.reason, self.place(problem.key), problem.message, self._entry.name
        )

    def _measure(self, model: Classifier, dataset: data.Dataset, x: Any, detail: dict[str, Any]) -> None:
        entry = self._entry
        labels = label_columns(dataset, model.first, model.columns)
        detail["scores"] = model.meaning
        right = model.clean.argmax(axis=1) == labels
        asked = None if entry.performance is UNSET else entry.performance
        self._add(
            performance.accuracy(
                entry.name,
                right,
                None if asked is None else asked.accuracy.min,
                None if asked is None else asked.confidence,
                detail,
            ),
            "performance.accuracy.min",
        )
        if entry.robustness is UNSET:
            return
        limits = None if entry.data.range is UNSET else data.bounds(entry.data.range, x.dtype)
        samples = robustness.Samples(x, labels, dataset.ids, limits)
        figure = robustness.measure(
            entry.name, model, samples, entry.robustness, detail=detail, progress=self._scope.progress
        )
        model.repeat()  # a model that changed its answers meanwhile has no figure
        self._add(figure, "robustness.min_accuracy")
        if figure.outcome == "inconclusive":
            raise Unassessable(
                "inconclusive", robustness.undecided(figure, entry.robustness), "robustness.min_accuracy"
            )

    def _add(self, figure: Measurement, key: str) -> None:
        self.figures.append(figure)
        seen = {
            "name": figure.name,
            "value": figure.value,
            "low": figure.low,
            "high": figure.high,
            "n": figure.n,
            "threshold": figure.threshold,
            "outcome": figure.outcome,
            "model": self._entry.model.path,
            "data": self._entry.data.path,
            **{
                key: figure.detail[key]
                for key in ("norm", "epsilon", "attacks", "bound", "clipped_to")
                if key in figure.detail
            },
        }
        subject = f"{figure.assessment}/{figure.name}"
        self.facts.append(Fact("assessment.measurement", self.place(key), subject, seen))

    def _inputs(self) -> _Inputs:
        """Read both files; the model's bytes go no further unless they are the right ones."""
        entry, limits = self._entry, self._scope.policy.policy.limits
        loaders: tuple[Any, ...] = modules("mlgate.checks.assessment.loaders")
        largest = max(loader.MAX_BYTES for loader in loaders)
        model = read(self._scope.target, entry.model.path, largest, "the format", "model.path")
        held = read(self._scope.target, entry.data.path, limits.data_bytes, "limits.data_bytes", "data.path")
        wrong = [
            self._differs("model", model, entry.model.sha256),
            self._differs("data", held, entry.data.sha256),
        ]
        if any(wrong):
            which = " and ".join(
                content.path for content, bad in zip((model, held), wrong, strict=True) if bad
            )
            raise Unassessable(
                "digest-mismatch",
                f"{which}: the SHA-256 is not the one that the policy names, so nothing of it was loaded",
                "model.sha256" if wrong[0] else "data.sha256",
            )
        self._clear(model)
        loader = next((each for each in loaders if each.claims(model.data[:16])), None)
        if loader is None:
            known = ", ".join(each.FORMAT for each in loaders)
            raise Unassessable(
                "unknown-model",
                f"{model.path} is in no format that an assessment can load: {known}",
                "model.path",
            )
        missing = [name for name in loader.REQUIRES if importlib.util.find_spec(name) is None]
        if missing:
            raise Unassessable("extra-missing", extra_missing(missing, loader.EXTRA), "model.path")
        return _Inputs(model, held, loader)

    def _differs(self, which: str, content: Content, expected: object) -> bool:
        if not isinstance(expected, str):
            return False
        seen = {"file": content.path, "which": which, "expected": expected, "found": content.sha256}
        subject = f"{self._entry.name}/{which}"
        self.facts.append(Fact("assessment.digest", self.place(f"{which}.sha256"), subject, seen))
        return expected != content.sha256

    def _clear(self, model: Content) -> None:
        cleared = self._scope.cleared.get(model.path)
        if cleared is None:
            raise Unassessable(
                "model-not-cleared",
                f"the model check did not pass for {model.path}; an assessment never loads a model "
                "with an open finding, or one that could not be checked",
                "model.path",
            )
        if cleared != model.sha256:
            raise Unassessable(
                "changed", f"{model.path} changed between the model check and its assessment", "model.path"
            )

    def _versions(self, inputs: _Inputs, dataset: data.Dataset, x: Any) -> dict[str, Any]:
        packages = {name: importlib.metadata.version(name) for name in inputs.loader.REQUIRES}
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


def extra_missing(packages: list[str], extra: str) -> str:
    """Say which packages are missing and how to get them."""
    return f"{' and '.join(packages)} must be installed to assess models: pip install 'mlgate[{extra}]'"


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
    gaps: tuple[NotChecked, ...] = ()
    try:
        with np.errstate(all="ignore"):
            run.observe()
    except Unassessable as problem:
        gaps = (run.not_checked(problem),)
    except MemoryError:
        large = Unassessable("limit", "the data needs more memory than there is", "data.path")
        gaps = (run.not_checked(large),)
    except Exception as error:  # noqa: BLE001 - the wall around one assessment's hostile files
        message = f"the assessment failed: {type(error).__name__}: {error}; please report this"
        gaps = (run.not_checked(Unassessable("assessment-failed", message)),)
    return Observations(tuple(run.facts), gaps, measurements=tuple(run.figures)), run.walls
