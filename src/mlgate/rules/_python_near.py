"""What lies beside Python source, and what of it names the source: whether a loader imports it."""

import posixpath
import sys
from collections.abc import Iterator, Sequence

from mlgate.core.facts import Fact
from mlgate.rules._globals import known
from mlgate.rules._pickle_tables import tables

# transformers, torch.hub, diffusers and others import these on request.
_IMPORTED = (
    "modeling_", "configuration_", "tokenization_", "processing_", "image_processing_", "feature_extraction_",
)  # fmt: skip
# The same, of names that other programs have as well: only beside a model.
_BESIDE = ("pipeline.py", "handler.py", "inference.py", "model.py", "custom_generate.py", "custom_handler.py")
# Of these, what lies in the folders of a pipeline's parts is beside them.
_BELOW = ("pipeline.py", "handler.py")
# What a pickle says of what it imports.
PICKLED = ("pickle.import", "pickle.call", "pickle.instance")
# What configurations name, each by a class or function in a module.
NAMING = (
    "config.target",
    "yaml.tag",
    "jsonpickle.object",
    "keras.reference",
    "skops.node",
    "huggingface.class",
)
# Python imports these when it starts, wherever they are on its path.
_STARTING = ("sitecustomize.py", "usercustomize.py")
# Modules of Python's own whose names scripts have as well.
_COMMON = frozenset(("test", "code", "profile", "trace", "this", "site", "cmd"))


class Near:
    """What lies beside a file, and what refers to it."""

    def __init__(self, facts: Sequence[Fact]) -> None:
        self._models: set[str] = set()
        self._named: set[tuple[str, str]] = set()
        self._configured: set[tuple[str, str]] = set()
        self._mapped: set[tuple[str, str]] = set()
        self._over: set[str] = set()
        self._pickled: set[str] = set()
        self._builders: set[str] = set()
        self._entries: set[str] = set()
        self._served: set[str] = set()
        self._imports: dict[str, list[Fact]] = {}
        self._scripts: list[Fact] = []
        # Configurations name a lot; of interest is what could be source that does something.
        self._sources = {
            part.partition(".")[0]
            for fact in facts
            if fact.kind in ("python.effect", "python.import")
            for part in path_of(fact).split("/")
        }
        for fact in facts:
            folder = posixpath.dirname(path_of(fact))
            self._lies(fact)
            self._names(fact, folder)
            self._configures(fact, folder)
        self._named |= self._configured
        # Only now it is known where models lie.
        self._builders.update(
            identity(fact) for fact in self._scripts if dataset_script(fact) or self.model(fact)
        )
        self._follow()

    def _lies(self, fact: Fact) -> None:
        """Note what a file is."""
        if fact.kind == "core.format":
            folder = posixpath.dirname(fact.location.path)
            self._models.add(folder)
            self._over.add(posixpath.dirname(folder))
        elif fact.kind in PICKLED:
            self._pickled.add(fact.location.path)
        elif fact.kind == "python.import":
            self._imports.setdefault(path_of(fact), []).append(fact)
        elif fact.kind == "python.dataset-builder":
            self._scripts.append(fact)
        elif fact.kind == "python.entry":
            self._entries.add(identity(fact))
            if fact.detail["served"]:
                self._served.add(identity(fact))

    def _names(self, fact: Fact, folder: str) -> None:
        """Note what a loader imports because a model or its description names it."""
        if fact.kind == "huggingface.auto-map":
            module = fact.subject.rpartition("--")[2].partition(".")[0]
            self._named.add((folder, f"{module}.py"))
            self._mapped.add((folder, f"{module}.py"))
        elif fact.kind in PICKLED:
            self._named.update(_modules(str(fact.detail.get("module", "")), fact, folder))
        elif fact.kind == "mlflow.code":
            self._named.add((posixpath.normpath(posixpath.join(folder, fact.subject)), "*"))
        elif fact.kind == "huggingface.class":
            # A diffusers component's own module lies in the component's folder.
            module = f"{fact.subject.rpartition('.')[0]}.py"
            self._named |= {(folder, module), (posixpath.join(folder, fact.detail["key"]), module)}
        elif fact.kind == "torch-model-archive.handler":
            # In an archive all source is imported; outside, the manifest has a folder of its own.
            handler = posixpath.basename(fact.subject.partition(":")[0])
            places = {fact.location.path, folder, posixpath.dirname(folder)}
            # An archive may also be a tar, or look like one of another kind.
            self._named |= {(place, handler) for place in places}

    def _configures(self, fact: Fact, folder: str) -> None:
        """Note what is imported because a configuration names it."""
        if fact.kind in NAMING:
            self._configured.update(_modules(fact.subject.rpartition(".")[0], fact, folder))
        if fact.kind != "config.modules":
            return
        if fact.detail["more"]:
            # Too many to tell which.
            self._named.add((folder or ".", "*"))
        for name in fact.detail["names"]:
            if name.endswith(".py"):
                place = posixpath.normpath(posixpath.join(folder, name))
                self._configured.add(posixpath.split(place))
            # A package that is asked for by its name alone is the one that is installed.
            elif not self._sources.isdisjoint(name.split(".")) and ("." in name or not known(name)):
                self._configured.update(_modules(name, fact, folder))

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
                if fact.detail["file"]:
                    place = posixpath.normpath(posixpath.join(folder, fact.subject))
                    self._named.add(posixpath.split(place))
                    if place in self._imports and place not in seen:
                        seen.add(place)
                        waiting.append(place)
                    continue
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

    def below(self, fact: Fact) -> bool:
        """Say whether the file lies in a folder, such as a package's, that lies beside a model."""
        folder = posixpath.dirname(path_of(fact))
        return bool(folder) and posixpath.dirname(folder) in self._models

    def imported(self, fact: Fact) -> bool:
        """Say whether a loader imports the file."""
        path = fact.location.member or fact.location.path
        name = _module_file(posixpath.basename(path))
        archive = fact.location.path if fact.location.member else posixpath.dirname(path)
        places = {archive, posixpath.dirname(path_of(fact))}
        if (
            fact.detail.get("container") in ("torch-model-archive", "torch")
            # A package of torch's without a model in it yet.
            or (
                fact.detail.get("container") == "zip"
                and fact.location.path.endswith((".pt", ".pth"))
                and fact.location.path not in self._pickled
            )
            or identity(fact) in self._builders | self._entries
        ):
            return True
        if any((place, name) in self._named for place in places):
            return True
        if any((above, "*") in self._named for above in _above(path_of(fact))):
            return True
        # torch.hub's, and what ModelScope imports where a configuration allows it.
        if name in ("hubconf.py", "ms_wrapper.py"):
            return True
        if name.startswith(_IMPORTED) and "/tests/" not in f"/{path}":
            return True
        if name in _BELOW and posixpath.dirname(path_of(fact)) in self._over:
            return True
        if _node_of_comfy(path, name):
            return True
        if name == "__main__.py" and fact.location.member:
            return True
        if name in _STARTING or name.endswith(".pth") or self._shadows(fact, name.removesuffix(".py")):
            return True
        if name == "generate.py" and posixpath.basename(posixpath.dirname(path)) == "custom_generate":
            return True
        return name in (*_BESIDE, "__init__.py") and self.model(fact)

    def _shadows(self, fact: Fact, stem: str) -> bool:
        """Say whether a file beside a model has a package's name, and is found in that one's place."""
        if stem == "__init__":
            stem = posixpath.basename(posixpath.dirname(path_of(fact)))
            beside = posixpath.dirname(posixpath.dirname(fact.location.path)) in self._models
        else:
            beside = self.model(fact)
        return beside and (stem in tables().known or stem in sys.stdlib_module_names - _COMMON)

    def configured(self, fact: Fact) -> bool:
        """Say whether a configuration names the file, and not only what imports it."""
        name = _module_file(posixpath.basename(path_of(fact)))
        return (posixpath.dirname(path_of(fact)), name) in self._configured

    def dataset(self, fact: Fact) -> bool:
        """Say whether the file is a dataset's script, whose methods all run."""
        return identity(fact) in self._builders

    def used(self, fact: Fact) -> bool:
        """Say whether a loader makes instances of the file's classes, and calls them."""
        name = posixpath.basename(fact.location.member or fact.location.path)
        if self.dataset(fact) or self.mapped(fact):
            return True
        packed = fact.detail.get("container") == "torch-model-archive"
        return name == "handler.py" and not packed and self.imported(fact)

    def mapped(self, fact: Fact) -> bool:
        """Say whether `auto_map` names the file."""
        name = posixpath.basename(fact.location.member or fact.location.path)
        return (posixpath.dirname(path_of(fact)), name) in self._mapped

    def installs(self, fact: Fact) -> bool:
        """Say whether the file installs a package that has a model in it."""
        folder, name = posixpath.split(path_of(fact))
        return name == "setup.py" and any(folder in ("", each, *_above(each)) for each in self._models)

    def answers(self, fact: Fact) -> bool:
        """Say whether a server hands what it is asked to the file's methods."""
        name = posixpath.basename(fact.location.member or fact.location.path)
        return identity(fact) in self._served or (name == "handler.py" and self.imported(fact))

    def served(self, fact: Fact) -> bool:
        """Say whether what the file defines is called: by `torch.hub.load`, or by a server that starts."""
        name = posixpath.basename(fact.location.member or fact.location.path)
        generates = path_of(fact).endswith("custom_generate/generate.py")
        return (
            name == "hubconf.py"
            or generates
            or identity(fact) in self._served
            or self.used(fact)
            or self.configured(fact)
        )


def _node_of_comfy(path: str, name: str) -> bool:
    """Say whether ComfyUI imports the file: what lies in its folder of nodes, or sets one up."""
    parts = path.split("/")
    if "custom_nodes" not in parts[:-1]:
        return False
    below = parts[parts.index("custom_nodes") + 1 :]
    return len(below) == 1 or (
        len(below) == 2 and name in ("__init__.py", "prestartup_script.py", "install.py")
    )


def _module_file(name: str) -> str:
    """Return the name that the source of a module would have."""
    stem, _, suffix = name.partition(".")
    return f"{stem}.py" if suffix.endswith(("pyc", "pyo", "so", "pyd")) else name


def _modules(module: str, fact: Fact, folder: str) -> Iterator[tuple[str, str]]:
    """Yield where a module lies that a file names: beside it, above it, in its archive or at the root."""
    parts = module.split(".")
    if not module or module == "__main__" or not all(map(str.isidentifier, parts)):
        return
    beside = {posixpath.dirname(fact.location.path), folder}
    if fact.kind not in PICKLED:
        beside |= {posixpath.dirname(each) for each in beside}
    # torch.package keeps the source that it imports from in the archive.
    beside |= {above for above in _above(folder) if above.startswith(fact.location.path)}
    if len(parts) > 1 and fact.kind not in PICKLED and not known(module):
        # Configurations have folders of their own, below the project that they name modules of.
        for above in map(_rooted, _above(folder)):
            beside |= {above, posixpath.join(above, "src")}
    for place in (*beside, "") if len(parts) == 1 else beside:
        yield place, f"{parts[0]}.py"
        if not place and known(module):
            continue  # the source tree of that very package
        for number in range(1, len(parts) + 1):
            yield posixpath.join(place, *parts[:number]), "__init__.py"
        if len(parts) > 1:
            yield posixpath.join(place, *parts[:-1]), f"{parts[-1]}.py"


def _rooted(path: str) -> str:
    return "" if path == "." else path


def _above(path: str) -> Iterator[str]:
    yield path
    while path:
        path = posixpath.dirname(path)
        yield path or "."


def path_of(fact: Fact) -> str:
    """Return the file's path, and behind it that of the member, as one."""
    place = fact.location
    return place.path if place.member is None else posixpath.normpath(f"{place.path}/{place.member}")


def identity(fact: Fact) -> str:
    return f"{fact.location.path}!/{fact.location.member or ''}"


def dataset_script(fact: Fact) -> bool:
    """Say whether ``datasets`` would run the file: it has its folder's name, or lies at the root."""
    folder, name = posixpath.split(fact.location.member or fact.location.path)
    return not folder or posixpath.basename(folder) == name.removesuffix(".py")
