"""Sections whose keys are what mlgate can do: a new metric or attack is a new key.

The keys are the names of modules, which are listed and not imported. A key that is none
of them is an error with file, line and the nearest one that is.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from mlgate.core.discovery import listed
from mlgate.policy._words import Section

_T = TypeVar("_T")


def section(
    name: str, folder: str, kind: type, fields: Iterable[tuple[str, Any] | tuple[str, Any, Any]] = ()
) -> Any:
    """Make a section with one optional key for every module of ``folder``.

    Args:
        name: Of the section's type.
        folder: Of the modules, relative to the package.
        kind: What stands behind each key.
        fields: The section's own keys, as ``msgspec.defstruct`` takes them.
    """
    keys = [(key, kind | UnsetType, UNSET) for key in listed(folder)]
    return msgspec.defstruct(
        name,
        [*fields, *keys],
        bases=(Section,),
        module=__name__,
        kw_only=True,
        frozen=True,
    )


def words(folder: str) -> Any:
    """Return the type of a text that is the name of a module of ``folder``."""
    return Literal[listed(folder)]


def asked(held: Section, kind: type[_T]) -> Mapping[str, _T]:
    """Return what a section asks for, by the name of the module that does it, in order."""
    found = {field: getattr(held, field) for field in held.__struct_fields__}
    return {name: value for name, value in sorted(found.items()) if isinstance(value, kind)}
