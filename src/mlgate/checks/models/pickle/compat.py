"""The names that the unpickler rewrites below protocol 3, from CPython's own tables."""

from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING


def renamed(module: str, name: str) -> tuple[str, str]:
    """Return the module and name that Python 3 imports for a Python 2 pickle's."""
    both = NAME_MAPPING.get((module, name))
    if both is not None:
        return both
    return IMPORT_MAPPING.get(module, module), name
