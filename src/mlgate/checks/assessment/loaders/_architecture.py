"""Inside the sandbox: build the module that a factory makes, and put weights into it.

A package's factory is part of the environment and is imported before the walls, as torch
is. A file of the repository is untrusted: it runs behind them, imported from memory.
"""

import importlib
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from mlgate.checks.assessment.architecture import Factory, factory, files_of, imported, module_of
from mlgate.checks.assessment.model import Request
from mlgate.checks.assessment.problems import Unassessable

# Of the standard library, what architectures import and torch does not.
_STANDARD = ("decimal", "fractions", "secrets", "statistics")
_MOST_SHOWN = 4


def prepare(request: Request) -> None:
    """Import what the factory will need, while files open: installed packages, and never the repository.

    Raises:
        Unassessable: The package's factory cannot be imported.
    """
    for name in _STANDARD:
        importlib.import_module(name)
    if request.architecture is None:
        return
    wanted = factory(request.architecture)
    if wanted.is_file:
        for name in _installed(request.sources):
            with suppress(Exception):  # said where the repository's file imports it, if it does
                importlib.import_module(name)
        return
    if not _importable(wanted.place):
        raise Unassessable(
            "model-load",
            f"model.architecture: no installed package has a module {wanted.place} beside torch; for a file "
            "of the repository give its path, as in nets/cnn.py:Net",
        )
    try:
        importlib.import_module(wanted.place)
    except Exception as error:
        raise Unassessable(
            "model-load", f"model.architecture: importing {wanted.place} fails: {_said(error)}"
        ) from error


def _installed(sources: Mapping[str, str]) -> list[str]:
    """Return the modules of installed packages that the repository's files import, packages first."""
    names = {name for text in sources.values() for name in imported(text, "")}
    tops = {part for path in sources for part in path.removesuffix(".py").split("/")}
    return sorted(name for name in names if name.split(".")[0] not in tops and _importable(name))


def _importable(name: str) -> bool:
    """Say whether a name may be imported without walls: of a package that lies where torch does.

    Modules of the standard library are none of these: some act when they are imported.
    So do packages' programs, and they are left out.
    """
    top, *rest = name.split(".")
    if top in sys.stdlib_module_names or "__main__" in rest:
        return False
    try:
        return importlib.util.find_spec(top) is not None
    except (ImportError, ValueError):
        return False


def build(request: Request) -> Any:
    """Return the module that the policy's factory makes.

    Raises:
        Unassessable: There is no factory, it fails, or what it makes is no ``torch.nn.Module``.
    """
    if request.architecture is None:
        raise Unassessable(
            "model-load",
            "the file holds weights and no model; say under model which `architecture` they belong to, "
            "as module:factory or path/of/file.py:factory",
        )
    import torch  # noqa: PLC0415 - only the worker pays for it

    torch.manual_seed(0)
    wanted = factory(request.architecture)
    try:
        home = _of_repository(request) if wanted.is_file else sys.modules[wanted.place]
        module = _callable(home, wanted)(**request.arguments)
    except Unassessable:
        raise
    except Exception as error:  # the wall around the repository's code
        message = f"the architecture {request.architecture} fails: {_said(error)}"
        raise Unassessable("model-load", message) from error
    if not isinstance(module, torch.nn.Module):
        kind = type(module).__name__
        raise Unassessable("model-load", f"{request.architecture} makes a {kind}, not a torch.nn.Module")
    return module


def _callable(home: ModuleType, wanted: Factory) -> Any:
    make = getattr(home, wanted.name, None)
    if not callable(make):
        raise Unassessable("model-load", f"{wanted.place} has no factory {wanted.name}")
    return make


def fill(module: Any, state: Mapping[str, Any]) -> None:
    """Put weights into a module: all of them, and no others.

    Raises:
        Unassessable: Names or shapes differ.
    """
    if state and all(name.startswith("module.") for name in state):  # as DataParallel saves them
        state = {name.removeprefix("module."): value for name, value in state.items()}
    wanted = module.state_dict()
    faults = (
        ("the file lacks", [name for name in wanted if name not in state]),
        ("it holds besides", [name for name in state if name not in wanted]),
        (
            "of another shape are",
            [
                f"{name} ({list(state[name].shape)}, not {list(value.shape)})"
                for name, value in wanted.items()
                if name in state and getattr(value, "shape", None) != state[name].shape
            ],
        ),
    )
    said = [f"{what} {_few(names)}" for what, names in faults if names]
    if said:
        raise Unassessable("model-load", f"the weights do not fit the architecture: {'; '.join(said)}")
    try:
        module.load_state_dict(state)
    except Exception as error:  # the wall around a hostile file
        raise Unassessable(
            "model-load", f"the weights do not fit the architecture: {_said(error)}"
        ) from error


def _few(names: Sequence[str]) -> str:
    more = len(names) - _MOST_SHOWN
    return ", ".join(name[:80] for name in names[:_MOST_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _said(error: Exception) -> str:
    """Say what went wrong, and in which file of the repository."""
    where, at = "", error.__traceback__
    while at is not None:
        if isinstance(at.tb_frame.f_globals.get("__loader__"), _FromMemory):
            where = f" ({at.tb_frame.f_code.co_filename}, line {at.tb_lineno})"
        at = at.tb_next
    said = f"{type(error).__name__}: {error}{where}"
    if isinstance(error, ModuleNotFoundError):
        said += "; only installed packages that the architecture's files import by name can be had here"
    return said


def offer(request: Request) -> None:
    """Let the repository's files be imported, by the names that they have beside the factory."""
    wanted = factory(request.architecture or "")
    if wanted.is_file:
        root, _ = module_of(wanted.place, request.sources)
        sys.meta_path.insert(0, _Finder(request.sources, dict.fromkeys((root, ""))))


def _of_repository(request: Request) -> ModuleType:
    path = factory(request.architecture or "").place
    _, name = module_of(path, request.sources)
    top = name.split(".")[0]
    other = sys.modules.get(top)
    if other is None:
        offer(request)
    elif not isinstance(getattr(other, "__loader__", None), _FromMemory):
        raise Unassessable(
            "model-load",
            f"{path} would be the module {top}, which is another one already; give it another name",
        )
    return importlib.import_module(name)


class _Finder(MetaPathFinder):
    """Finds the repository's modules in memory.

    Args:
        sources: Texts by path.
        roots: Folders that imports start from.
    """

    def __init__(self, sources: Mapping[str, str], roots: Mapping[str, None]) -> None:
        self._sources, self._roots = sources, roots

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        for root in self._roots:
            module, package = files_of(fullname, root)
            for path in (package, module):
                if path in self._sources:
                    loader = _FromMemory(path, self._sources[path], package=path == package)
                    return importlib.util.spec_from_loader(fullname, loader, origin=path)
            folder = module.removesuffix(".py") + "/"
            if any(path.startswith(folder) for path in self._sources):
                spec = ModuleSpec(fullname, None, origin=folder, is_package=True)
                spec.submodule_search_locations = [folder]
                return spec
        return None


class _FromMemory(InspectLoader):
    def __init__(self, path: str, text: str, *, package: bool) -> None:
        self._path, self._text, self._package = path, text, package

    def is_package(self, _fullname: str) -> bool:
        return self._package

    def get_source(self, _fullname: str) -> str:
        return self._text

    def get_code(self, _fullname: str) -> Any:
        return self.source_to_code(self._text, self._path)
