"""Find plugins: every public module of a package is one."""

import importlib
import pkgutil
from types import ModuleType


def modules(package: str) -> tuple[ModuleType, ...]:
    """Import and return the modules directly inside ``package``, sorted by name.

    Names that start with an underscore are the package's own. Only mlgate's own
    packages are ever passed here: what is judged is never imported.
    """
    home = importlib.import_module(package)
    names = sorted(info.name for info in pkgutil.iter_modules(home.__path__) if not info.name.startswith("_"))
    return tuple(importlib.import_module(f"{package}.{name}") for name in names)
