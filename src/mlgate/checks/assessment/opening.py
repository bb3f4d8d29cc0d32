"""The files of an assessment: read once, held against digests, and opened in the sandbox.

A model's bytes go no further than this module unless the model check has passed these very
bytes, they are those that the policy names, and what loads them is accepted and installed.
"""

import importlib.metadata
import importlib.util
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from msgspec import UNSET
from msgspec.structs import replace

from mlgate.checks import Scope
from mlgate.checks.assessment import data
from mlgate.checks.assessment.architecture import gather
from mlgate.checks.assessment.classifier import Classifier
from mlgate.checks.assessment.inputs import Content, read
from mlgate.checks.assessment.model import Request
from mlgate.checks.assessment.problems import Unassessable
from mlgate.checks.assessment.regressor import Regressor
from mlgate.checks.assessment.sandbox.worker import Worker
from mlgate.core.discovery import module, modules

if TYPE_CHECKING:
    from mlgate.checks.assessment.predictor import Predictor
    from mlgate.policy.assessment import Assessment, Data, DataFile, ModelFile

_LOADERS = "mlgate.checks.assessment.loaders"
# Processor time beyond an attack's budget: starting, loading and the clean data.
_SPARE_SECONDS = 3600


class Opener:
    """Opens what one assessment names.

    Args:
        scope: Of the check.
        entry: What the policy says of the assessment.
        note: Told of every file whose digest the policy names: its key, the file and the digest.
    """

    def __init__(self, scope: Scope, entry: "Assessment", note: Callable[[str, Content, str], None]) -> None:
        self._scope, self._entry, self._note = scope, entry, note

    def content(self, wanted: "DataFile | Data", key: str) -> Content:
        """Read a data file.

        Raises:
            Unassessable: It cannot be read, or is not the one that the policy names.
        """
        limits = self._scope.policy.policy.limits
        held = read(self._scope.target, wanted.path, limits.data_bytes, "limits.data_bytes", f"{key}.path")
        self._hold(key, held, wanted.sha256)
        return held

    def beside(self, wanted: "DataFile", key: str, dataset: data.Dataset) -> data.Dataset:
        """Read another data file with the same columns.

        Raises:
            Unassessable: It cannot be read, or cannot carry a figure.
        """
        held = self.content(wanted, key)
        entry = replace(self._entry, data=replace(self._entry.data, path=wanted.path, limit=UNSET))
        limits = self._scope.policy.policy.limits
        found = data.load(held.data, entry, limits.data_bytes, held.path, dataset.names)
        return replace(found, sha256=held.sha256)

    def model(self, wanted: "ModelFile", key: str) -> Content:
        """Read a model file that the model check has passed.

        Raises:
            Unassessable: It cannot be read, is not the one that the policy names, or was not passed.
        """
        loaders: tuple[Any, ...] = modules(_LOADERS)
        largest = max(loader.MAX_BYTES for loader in loaders)
        model = read(self._scope.target, wanted.path, largest, "the format", f"{key}.path")
        self._hold(key, model, wanted.sha256)
        self._clear(model, key)
        return model

    def loader(self, model: Content, wanted: "ModelFile", key: str) -> Any:
        """Return the loader that claims a model file, if the policy accepts what it does.

        Raises:
            Unassessable: None claims it, it runs code that the policy does not accept, or its
                packages are missing.
        """
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

    def request(self, wanted: "ModelFile", key: str, dataset: data.Dataset) -> Request:
        """Return what a loader is told beside the model's bytes."""
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

    def worker(self, loader: Any, request: Request, wanted: "ModelFile", key: str) -> Worker:
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

    @contextmanager
    def other(self, wanted: "ModelFile", key: str, dataset: data.Dataset) -> "Iterator[Predictor]":
        """Load another model of the policy, which answers the same samples."""
        content = self.model(wanted, key)
        request = self.request(wanted, key, dataset)
        with self.worker(self.loader(content, wanted, key), request, wanted, key) as worker:
            signature = worker.load(content.data)
            data.agree(dataset, signature)
            x = data.fit(dataset.x, signature, dataset.name, dataset.apart)
            other = Regressor(worker, x) if self._entry.task == "regression" else Classifier(worker, x)
            other.sha256 = content.sha256
            yield other

    @contextmanager
    def twin(self, name: str, content: Content, request: Request, model: Classifier) -> Iterator[str]:
        """Let the model's twin give gradients, where there is one that agrees; say what came of it."""
        loader: Any = module(_LOADERS, name)
        missing = [name for name in loader.REQUIRES if importlib.util.find_spec(name) is None]
        if missing:
            yield f"none: {extra_missing(missing, loader.EXTRA)}"
            return
        with ExitStack() as stack:
            try:
                worker = stack.enter_context(self.worker(loader, request, self._entry.model, "model"))
                worker.load(content.data)
                far = model.follow(worker)
                versions = ", ".join(f"{each} {version(each)}" for each in loader.REQUIRES)
                said = f"by {loader.FORMAT} ({versions}), whose scores agree to {far:.1g} of their spread"
            except Unassessable as problem:
                said = f"none: {problem.message}"
            yield said

    def _hold(self, key: str, content: Content, expected: object) -> None:
        if not isinstance(expected, str):
            return
        self._note(key, content, expected)
        if expected != content.sha256:
            raise Unassessable(
                "digest-mismatch",
                f"{content.path}: the SHA-256 is not the one that the policy names, so nothing of it was "
                "loaded",
                f"{key}.sha256",
            )

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
