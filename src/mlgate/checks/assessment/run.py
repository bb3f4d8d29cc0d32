"""One assessment from its policy entry to figures, or to the reason why there are none."""

import hashlib
import importlib.metadata
import importlib.util
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import UNSET, Struct
from msgspec.structs import replace

from mlgate import __version__
from mlgate.checks import Scope
from mlgate.checks.assessment import data
from mlgate.checks.assessment.architecture import gather
from mlgate.checks.assessment.classifier import Classifier
from mlgate.checks.assessment.inputs import Content, read
from mlgate.checks.assessment.labels import label_columns, regression_values
from mlgate.checks.assessment.measure import Figure, Subject
from mlgate.checks.assessment.model import Request
from mlgate.checks.assessment.problems import Unassessable
from mlgate.checks.assessment.regressor import Regressor
from mlgate.checks.assessment.sandbox.walls import Wall
from mlgate.checks.assessment.sandbox.worker import Worker
from mlgate.core.discovery import module, modules, names
from mlgate.core.facts import Check, Fact, Location, Measurement, NotChecked, Observations, Source

if TYPE_CHECKING:
    from mlgate.checks.assessment.predictor import Predictor
    from mlgate.policy.assessment import Assessment, DataFile, ModelFile

_MEASURES = "mlgate.checks.assessment.measures"
_LOADERS = "mlgate.checks.assessment.loaders"
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

    def observe(self) -> None:
        """Measure all that the policy asks for, cheap before dear.

        What cannot be measured is a gap of its own, and the rest goes on; unless the
        model's worker is at fault, which nothing can be asked any more.

        Raises:
            Unassessable: Nothing (more) can be measured; what was measured before stands.
        """
        entry, limits = self._entry, self._scope.policy.policy.limits
        wanted = self._wanted()
        inputs = self._inputs()
        dataset = data.load(inputs.data.data, entry, limits.data_bytes, inputs.data.path)
        self._scope.progress(f"{entry.name}: loading {inputs.model.path} in the sandbox")
        request = self._request(entry.model, "model", dataset)
        with self._worker(inputs.loader, request, entry.model, "model") as worker:
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
            read=lambda other, key: self._read(other, key, dataset),
            load=lambda other, key: self._other(other, key, dataset),
            twin=None if inputs.loader.TWIN is None else lambda: self._twin(inputs, request, model),
        )

    def _read(self, wanted: "DataFile", key: str, beside: data.Dataset) -> data.Dataset:
        limits = self._scope.policy.policy.limits
        held = read(self._scope.target, wanted.path, limits.data_bytes, "limits.data_bytes", f"{key}.path")
        if self._differs(key, held, wanted.sha256):
            raise self._wrong_digest(held.path, f"{key}.sha256")
        entry = replace(self._entry, data=replace(self._entry.data, path=wanted.path, limit=UNSET))
        found = data.load(held.data, entry, limits.data_bytes, held.path, beside.names)
        return replace(found, sha256=held.sha256)

    @contextmanager
    def _other(self, wanted: "ModelFile", key: str, dataset: data.Dataset) -> "Iterator[Predictor]":
        """Load another model of the policy, which answers the same samples."""
        content = self._model(wanted, key)
        request = self._request(wanted, key, dataset)
        with self._worker(self._loader(content, wanted, key), request, wanted, key) as worker:
            signature = worker.load(content.data)
            data.agree(dataset, signature)
            x = data.fit(dataset.x, signature, dataset.name, dataset.apart)
            other = Regressor(worker, x) if self._entry.task == "regression" else Classifier(worker, x)
            other.sha256 = content.sha256
            yield other

    @contextmanager
    def _twin(self, inputs: _Inputs, request: Request, model: Classifier) -> Iterator[str]:
        """Let the model's twin give gradients, where there is one that agrees; say what came of it."""
        loader: Any = module(_LOADERS, inputs.loader.TWIN)
        missing = [name for name in loader.REQUIRES if importlib.util.find_spec(name) is None]
        if missing:
            yield f"none: {extra_missing(missing, loader.EXTRA)}"
            return
        with ExitStack() as stack:
            try:
                worker = stack.enter_context(self._worker(loader, request, self._entry.model, "model"))
                worker.load(inputs.model.data)
                far = model.follow(worker)
                versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in loader.REQUIRES)
                said = f"by {loader.FORMAT} ({versions}), whose scores agree to {far:.1g} of their spread"
            except Unassessable as problem:
                said = f"none: {problem.message}"
            yield said

    def _request(self, wanted: "ModelFile", key: str, dataset: data.Dataset) -> Request:
        architecture = wanted.architecture if isinstance(wanted.architecture, str) else None
        return Request(
            task=self._entry.task,
            architecture=architecture,
            arguments=wanted.arguments,
            sources=gather(self._scope.target, architecture, f"{key}.architecture") if architecture else {},
            trusted_types=wanted.trusted_types,
            accept_code=wanted.accept_code,
            shape=wanted.shape or tuple(int(size) for size in dataset.x.shape[1:]),
        )

    def _worker(self, loader: Any, request: Request, wanted: "ModelFile", key: str) -> Worker:
        """Start a worker; where code will run in it, only behind every wall."""
        limits, robust = self._scope.policy.policy.limits, self._entry.robustness
        budget = 0 if robust is UNSET else int(robust.budget_seconds)
        worker = Worker(
            loader,
            request,
            memory=limits.worker_bytes,
            seconds=limits.file_seconds,
            cpu_seconds=_SPARE_SECONDS + budget,
        )
        missing = [f"{wall.name} ({wall.note})" for wall in worker.walls if not wall.stands]
        if missing and (loader.CODE or request.architecture) and not wanted.accept_missing_walls:
            worker.close()
            raise Unassessable(
                "missing-wall",
                f"{wanted.path} brings code, and the sandbox is not whole here: {'; '.join(missing)}; run it "
                f"where it is, or say `accept_missing_walls: true` under {key}",
                f"{key}.path",
            )
        return worker

    def _inputs(self) -> _Inputs:
        """Read both files; the model's bytes go no further unless they are the right ones."""
        entry, limits = self._entry, self._scope.policy.policy.limits
        held = read(self._scope.target, entry.data.path, limits.data_bytes, "limits.data_bytes", "data.path")
        if self._differs("data", held, entry.data.sha256):
            raise self._wrong_digest(held.path, "data.sha256")
        model = self._model(entry.model, "model")
        return _Inputs(model, held, self._loader(model, entry.model, "model"))

    def _model(self, wanted: "ModelFile", key: str) -> Content:
        loaders: tuple[Any, ...] = modules(_LOADERS)
        largest = max(loader.MAX_BYTES for loader in loaders)
        model = read(self._scope.target, wanted.path, largest, "the format", f"{key}.path")
        if self._differs(key, model, wanted.sha256):
            raise self._wrong_digest(model.path, f"{key}.sha256")
        self._clear(model, key)
        return model

    def _loader(self, model: Content, wanted: "ModelFile", key: str) -> Any:
        loaders: tuple[Any, ...] = modules(_LOADERS)
        loader = next((each for each in loaders if each.claims(model.data)), None)
        if loader is None:
            known = ", ".join(each.FORMAT for each in loaders)
            raise Unassessable(
                "unknown-model",
                f"{model.path} is in no format that an assessment can load: {known}",
                f"{key}.path",
            )
        if loader.CODE and not wanted.accept_code:
            raise Unassessable(
                "code-not-accepted",
                f"{model.path}: loading {loader.FORMAT} can run code that the file holds; say "
                f"`accept_code: true` under {key} to load it in the sandbox, or convert it",
                f"{key}.path",
            )
        missing = [name for name in loader.REQUIRES if importlib.util.find_spec(name) is None]
        if missing:
            raise Unassessable("extra-missing", extra_missing(missing, loader.EXTRA), f"{key}.path")
        return loader

    def _wrong_digest(self, path: str, key: str) -> Unassessable:
        return Unassessable(
            "digest-mismatch",
            f"{path}: the SHA-256 is not the one that the policy names, so nothing of it was loaded",
            key,
        )

    def _differs(self, which: str, content: Content, expected: object) -> bool:
        if not isinstance(expected, str):
            return False
        seen = {"file": content.path, "which": which, "expected": expected, "found": content.sha256}
        subject = f"{self._entry.name}/{which}"
        self.facts.append(Fact("assessment.digest", self.place(f"{which}.sha256"), subject, seen))
        return expected != content.sha256

    def _clear(self, model: Content, key: str) -> None:
        cleared = self._scope.cleared.get(model.path)
        if cleared is None:
            raise Unassessable(
                "model-not-cleared",
                f"the model check did not pass for {model.path}; an assessment never loads a model "
                "with an open finding, of whatever severity, or one that could not be checked: settle it "
                "(convert the model, trust a class of your own by `models.allow_globals`, or waive it) "
                "and run again",
                f"{key}.path",
            )
        if cleared != model.sha256:
            raise Unassessable(
                "changed", f"{model.path} changed between the model check and its assessment", f"{key}.path"
            )

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


def version(package: str) -> str:
    """Return the version of an installed package, whose distribution may have another name."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        owners = importlib.metadata.packages_distributions().get(package, [])
        return importlib.metadata.version(owners[0]) if owners else "unknown"


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
