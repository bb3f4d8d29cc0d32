"""Find plugins: every public module of a package is one."""

import importlib
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

_ROOT = Path(__file__).resolve().parent.parent


def modules(package: str) -> tuple[ModuleType, ...]:
    """Import and return the modules directly inside ``package``, sorted by name.

    Names that start with an underscore are the package's own. Only mlgate's own
    packages are ever passed here: what is judged is never imported.
    """
    return tuple(module(package, name) for name in names(package))


def names(package: str) -> tuple[str, ...]:
    """Return the names of the modules directly inside ``package``, sorted; none is imported."""
    home = importlib.import_module(package)
    return tuple(sorted(name for folder in home.__path__ for name in _public(folder)))


def listed(folder: str) -> tuple[str, ...]:
    """Return the names of the modules directly inside a folder of mlgate, sorted.

    Nothing is imported, so the policy can know what there is without knowing what it does.

    Args:
        folder: Relative to the package, with ``/``: ``checks/assessment/metrics``.
    """
    return tuple(sorted(_public(str(_ROOT / folder))))


def module(package: str, name: str) -> ModuleType:
    """Import one of the modules that :func:`names` returns."""
    return importlib.import_module(f"{package}.{name}")


def _public(folder: str) -> Iterator[str]:
    # pkgutil does the same, and loads the modules that read sources to do it: 5 ms of every run.
    with os.scandir(folder) as entries:
        for entry in entries:
            name, _, suffix = entry.name.partition(".")
            package = not suffix and Path(entry.path, "__init__.py").exists()
            if (suffix == "py" or package) and not name.startswith("_"):
                yield name
