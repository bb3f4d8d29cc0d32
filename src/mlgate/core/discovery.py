"""Find plugins: every public module of a package is one."""

import importlib
import pkgutil
from types import ModuleType


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


def module(package: str, name: str) -> ModuleType:
    """Import one of the modules that :func:`names` returns."""
    return importlib.import_module(f"{package}.{name}")
