"""Find plugins: every public module of a package is one."""

import importlib
import pkgutil
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
    found = (info.name for info in pkgutil.iter_modules(home.__path__) if not info.name.startswith("_"))
    return tuple(sorted(found))


def listed(folder: str) -> tuple[str, ...]:
    """Return the names of the modules directly inside a folder of mlgate, sorted.

    Nothing is imported, so the policy can know what there is without knowing what it does.

    Args:
        folder: Relative to the package, with ``/``: ``checks/assessment/metrics``.
    """
    found = (info.name for info in pkgutil.iter_modules([str(_ROOT / folder)]))
    return tuple(sorted(name for name in found if not name.startswith("_")))


def module(package: str, name: str) -> ModuleType:
    """Import one of the modules that :func:`names` returns."""
    return importlib.import_module(f"{package}.{name}")
