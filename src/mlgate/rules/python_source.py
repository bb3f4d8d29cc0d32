"""Rules about Python source that a loader imports together with a model or a dataset."""

import posixpath
from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity
from mlgate.rules._globals import known

_DOES = {
    "executes": "runs a command",
    "evaluates": "runs text as code",
    "loads": "loads data that can run code itself",
    "native": "loads native code",
    "network": "opens the network",
    "imports": "leads to whatever name is wanted",
    "writes": "writes to a file that is run at the next start",
    "changes": "writes, moves or removes files",
    "environment": "sets what every later process runs first",
}
_GRAVE = ("executes", "evaluates", "network", "imports", "native", "writes", "changes")
# Of no interest in a script that nothing imports.
_ORDINARY = ("changes", "environment", "imports")
# transformers, torch.hub, diffusers and others import these on request.
_IMPORTED = (
    "modeling_", "configuration_", "tokenization_", "processing_", "image_processing_", "feature_extraction_",
)  # fmt: skip
# The same, of names that other programs have as well: only beside a model.
_BESIDE = ("pipeline.py", "handler.py", "inference.py", "model.py", "custom_generate.py", "custom_handler.py")
# What such files do where they are a script to try a model with, or a package with a library of its own.
_EXPECTED = {
    "inference.py": ("network", "changes"),
    "model.py": ("network", "changes"),
    "__init__.py": ("native",),
}
# Of these, what lies in the folders of a pipeline's parts is beside them.
_BELOW = ("pipeline.py", "handler.py")
# What a pickle says of what it imports.
_PICKLED = ("pickle.import", "pickle.call", "pickle.instance")
# What configurations name, each by a class or function in a module.
_NAMING = (
    "config.target",
    "yaml.tag",
    "jsonpickle.object",
    "keras.reference",
    "skops.node",
    "huggingface.class",
)
_REMOVES = ("os.remove", "os.unlink", "os.removedirs", "shutil.rmtree", "pathlib.Path.unlink")
_ATLAS = ("AML.T0011.000", "AML.T0010.003")
_OWASP = ("ML06:2023", "LLM03:2025")


class _Near:
    """What lies beside a file, and what refers to it."""

    def __init__(self, facts: Sequence[Fact]) -> None:
        self._models: set[str] = set()
        self._named: set[tuple[str, str]] = set()
        self._mapped: set[tuple[str, str]] = set()
        self._over: set[str] = set()
        self._builders: set[str] = set()
        self._entries: set[str] = set()
        self._served: set[str] = set()
        self._imports: dict[str, list[Fact]] = {}
        scripts: list[Fact] = []
        for fact in facts:
            path = fact.location.path
            folder = posixpath.dirname(_full(fact))
            if fact.kind == "core.format":
                self._models.add(posixpath.dirname(path))
                self._over.add(posixpath.dirname(posixpath.dirname(path)))
            elif fact.kind == "huggingface.auto-map":
                module = fact.subject.rpartition("--")[2].partition(".")[0]
                self._named.add((folder, f"{module}.py"))
                self._mapped.add((folder, f"{module}.py"))
            elif fact.kind in _PICKLED:
                self._named.update(_modules(str(fact.detail.get("module", "")), fact, folder))
            elif fact.kind == "mlflow.code":
                self._named.add((posixpath.normpath(posixpath.join(folder, fact.subject)), "*"))
            elif fact.kind == "python.import":
                self._imports.setdefault(_full(fact), []).append(fact)
            elif fact.kind == "huggingface.class":
                # A diffusers component's own module lies in the component's folder.
                module = f"{fact.subject.rpartition('.')[0]}.py"
                self._named |= {(folder, module), (posixpath.join(folder, fact.detail["key"]), module)}
            elif fact.kind == "torch-model-archive.handler":
                # In an archive all source is imported; outside, the manifest has a folder of its own.
                handler = posixpath.basename(fact.subject.partition(":")[0])
                # An archive may also be a tar, or look like one of another kind.
                self._named |= {(path, handler), (folder, handler), (posixpath.dirname(folder), handler)}
            elif fact.kind == "python.dataset-builder":
                scripts.append(fact)
            elif fact.kind == "python.entry":
                self._entries.add(_place(fact))
                if fact.detail["served"]:
                    self._served.add(_place(fact))
            if fact.kind in _NAMING:
                self._named.update(_modules(fact.subject.rpartition(".")[0], fact, folder))
        # Only now it is known where models lie.
        self._builders.update(_place(fact) for fact in scripts if dataset_script(fact) or self.model(fact))
        self._follow()

    def _follow(self) -> None:
        """Count what is imported by what is imported: each file once, from those that a loader imports."""
        below: dict[str, list[str]] = {}
        for path in self._imports:
            for folder in _above(posixpath.dirname(path)):
                below.setdefault(folder, []).append(path)
        waiting = [path for path, facts in self._imports.items() if self.imported(facts[0])]
        seen = set(waiting)
        while waiting:
            path = waiting.pop()
            folder = posixpath.dirname(path)
            for fact in self._imports[path]:
                package = posixpath.join(folder, fact.subject)
                self._named |= {(folder, f"{fact.subject}.py"), (package, "*")}
                for each in (f"{package}.py", *below.pop(package, ())):
                    if each in self._imports and each not in seen:
                        seen.add(each)
                        waiting.append(each)

    def model(self, fact: Fact) -> bool:
        """Say whether a model lies in the same folder, or in the same archive."""
        inside = fact.detail.get("container", "") not in ("", "tar", "zip", "gzip")
        return inside or posixpath.dirname(fact.location.path) in self._models

    def imported(self, fact: Fact) -> bool:
        """Say whether a loader imports the file."""
        path = fact.location.member or fact.location.path
        name = posixpath.basename(path)
        archive = fact.location.path if fact.location.member else posixpath.dirname(path)
        places = {archive, posixpath.dirname(_full(fact))}
        if (
            fact.detail.get("container") == "torch-model-archive"
            or _place(fact) in self._builders | self._entries
        ):
            return True
        if any((place, name) in self._named for place in places):
            return True
        if any((above, "*") in self._named for above in _above(_full(fact))):
            return True
        if name == "hubconf.py" or (name.startswith(_IMPORTED) and "/tests/" not in f"/{path}"):
            return True
        if name in _BELOW and posixpath.dirname(_full(fact)) in self._over:
            return True
        if name == "generate.py" and posixpath.basename(posixpath.dirname(path)) == "custom_generate":
            return True
        return name in (*_BESIDE, "__init__.py") and self.model(fact)

    def dataset(self, fact: Fact) -> bool:
        """Say whether the file is a dataset's script, whose methods all run."""
        return _place(fact) in self._builders

    def used(self, fact: Fact) -> bool:
        """Say whether a loader makes instances of the file's classes, and calls them."""
        name = posixpath.basename(fact.location.member or fact.location.path)
        if self.dataset(fact) or (posixpath.dirname(_full(fact)), name) in self._mapped:
            return True
        packed = fact.detail.get("container") == "torch-model-archive"
        return name == "handler.py" and not packed and self.imported(fact)

    def served(self, fact: Fact) -> bool:
        """Say whether what the file defines is called: by `torch.hub.load`, or by a server that starts."""
        name = posixpath.basename(fact.location.member or fact.location.path)
        return name == "hubconf.py" or _place(fact) in self._served or self.used(fact)


def _modules(module: str, fact: Fact, folder: str) -> Iterator[tuple[str, str]]:
    """Yield where a module lies that a file names: beside it, above it, in its archive or at the root."""
    parts = module.split(".")
    if not module or module == "__main__" or not all(map(str.isidentifier, parts)):
        return
    beside = {posixpath.dirname(fact.location.path), folder}
    if fact.kind not in _PICKLED:
        beside |= {posixpath.dirname(each) for each in beside}
    # torch.package keeps the source that it imports from in the archive.
    beside |= {above for above in _above(folder) if above.startswith(fact.location.path)}
    for place in (*beside, "") if len(parts) == 1 else beside:
        yield place, f"{parts[0]}.py"
        if not place and known(module):
            continue  # the source tree of that very package
        for number in range(1, len(parts) + 1):
            yield posixpath.join(place, *parts[:number]), "__init__.py"
        if len(parts) > 1:
            yield posixpath.join(place, *parts[:-1]), f"{parts[-1]}.py"


def _above(path: str) -> Iterator[str]:
    yield path
    while path:
        path = posixpath.dirname(path)
        yield path or "."


def _full(fact: Fact) -> str:
    """Return the file's path, and behind it that of the member, as one."""
    place = fact.location
    return place.path if place.member is None else posixpath.normpath(f"{place.path}/{place.member}")


def _place(fact: Fact) -> str:
    return f"{fact.location.path}!/{fact.location.member or ''}"


def dataset_script(fact: Fact) -> bool:
    """Say whether ``datasets`` would run the file: it has its folder's name, or lies at the root."""
    folder, name = posixpath.split(fact.location.member or fact.location.path)
    return not folder or posixpath.basename(folder) == name.removesuffix(".py")


def _severity(fact: Fact, near: _Near) -> Severity | None:
    """Grade an effect by what it does, when, and whether a loader imports the file."""
    act, hidden = fact.detail["act"], fact.detail["source"] in ("decoded", "downloaded")
    disguised = hidden and act in ("evaluates", "loads")
    imported = near.imported(fact)
    if fact.detail["where"] == "load":
        return _when_used(fact, near) if imported else None
    if imported:
        if disguised:
            return Severity.CRITICAL
        mild = fact.detail["source"] == "usual" or act in _EXPECTED.get(
            posixpath.basename(fact.location.member or fact.location.path), ()
        )
        return Severity.HIGH if act in _GRAVE and not mild else Severity.MEDIUM
    if near.model(fact) and act not in _ORDINARY:
        return Severity.HIGH if disguised else Severity.MEDIUM
    return Severity.MEDIUM if disguised and act == "evaluates" else None


def _when_used(fact: Fact, near: _Near) -> Severity | None:
    """Grade what methods do that loaders call: honest ones fetch data, and clear up after themselves."""
    act, source = fact.detail["act"], fact.detail["source"]
    used = near.used(fact)
    if source in ("decoded", "downloaded") and act in ("evaluates", "loads"):
        return Severity.CRITICAL if near.dataset(fact) else Severity.HIGH
    if act == "executes":
        return Severity.HIGH if near.served(fact) and source != "usual" else Severity.MEDIUM
    if act == "writes":
        return Severity.HIGH if used else Severity.MEDIUM
    if used and fact.subject in _REMOVES and source != "made":
        return Severity.MEDIUM if source == "given" else Severity.HIGH
    return Severity.HIGH if used and fact.subject == "socket.create_connection" else None


def _effects(facts: Sequence[Fact], policy: Any) -> Iterator[Hit]:
    near = _Near(facts)
    for fact in facts:
        if fact.kind != "python.effect" or fact.subject in policy.models.allow_globals:
            continue
        severity = _severity(fact, near)
        if severity is not None:
            when = "Importing this file" if fact.detail["where"] == "import" else "Using this file's classes"
            what = {"decoded": ", on what it decodes", "downloaded": ", on what it downloads"}
            does = f"{_DOES[fact.detail['act']]}{what.get(fact.detail['source'], '')}"
            subject = "a computed name" if fact.subject == "?" else fact.subject
            yield Hit(fact, f"{when} calls {subject}, which {does}.", severity=severity)


def _datasets(facts: Sequence[Fact], policy: Any) -> Iterator[Hit]:
    near = _Near(facts)
    grave = {
        _place(fact)
        for fact in facts
        if fact.kind == "python.effect"
        and fact.subject not in policy.models.allow_globals
        and (_severity(fact, near) or Severity.INFO) >= Severity.HIGH
    }
    for fact in facts:
        if fact.kind == "python.dataset-builder" and near.dataset(fact):
            acts = _place(fact) in grave
            more = ", and it does more than read" if acts else ""
            yield Hit(
                fact,
                f"Loading this dataset runs the class {fact.subject} of its script{more}.",
                severity=Severity.HIGH if acts else None,
            )


RULES = (
    Rule(
        id="MLG-HFR-004",
        name="model-code-acts-on-import",
        check=Check.MODELS,
        severity=Severity.HIGH,
        varies=True,
        kinds=("python.effect",),
        context=(
            "core.format",
            "huggingface.auto-map",
            "python.import",
            "torch-model-archive.handler",
            "mlflow.code",
            "python.dataset-builder",
            "python.entry",
            *_NAMING,
            *_PICKLED,
        ),
        summary="Python source that a model's loader imports runs commands, opens the network or hides code",
        what=(
            "Statements of the module, class bodies, decorators, default values and the functions that these "
            "call, through aliases and computed names; a module such as `os` that is passed around counts "
            "too, and so do files that are written or removed. High where a loader imports the file "
            "(`modeling_*.py`, `hubconf.py`, a handler, the `__init__.py` of a package with a model, a "
            "file that `auto_map` names, one that a pickle beside it imports, and whatever these import), "
            "and where functions do so that loaders call (of classes that `auto_map` names, of a server, "
            "of a dataset's builder); critical where it runs what it decodes or downloads; medium in a "
            "script that merely lies beside a model."
        ),
        why=(
            "`trust_remote_code=True`, `torch.hub.load` or a serving runtime imports the file, and "
            "everything at its top level runs on that machine, before any weight is read."
        ),
        fix=(
            "Read the file before anybody loads the model. Move such work into a function that is called by "
            "hand, behind `if __name__ == '__main__':`, or load weights with a class of an installed package "
            "and `trust_remote_code=False`."
        ),
        references=(
            "https://arxiv.org/abs/2409.09368",
            "https://huggingface.co/docs/transformers/custom_models",
        ),
        cwe=(94, 506, 829),
        atlas=_ATLAS,
        owasp=_OWASP,
        judge=_effects,
        precision="medium",
    ),
    Rule(
        id="MLG-HFR-005",
        name="dataset-loading-script",
        check=Check.MODELS,
        severity=Severity.MEDIUM,
        varies=True,
        kinds=("python.dataset-builder",),
        context=("python.effect", "core.format"),
        summary="A dataset comes with a script that runs to load it",
        what=(
            "A class derived from a builder of `datasets`, in a file that has its folder's name or lies at "
            "the root. High where the script runs commands or code besides."
        ),
        why=(
            "`datasets.load_dataset` runs the script with the rights of whoever loads the data, and in old "
            "versions without asking."
        ),
        fix=(
            "Convert the data to files that hold data alone, and load those:\n\n```python\n"
            'load_dataset("parquet", data_files="train.parquet")\n```'
        ),
        references=(
            "https://arxiv.org/abs/2409.09368",
            "https://huggingface.co/docs/datasets/dataset_script",
        ),
        cwe=(94, 829),
        atlas=_ATLAS,
        owasp=_OWASP,
        judge=_datasets,
    ),
)
