"""Versions as the Python ecosystem orders them (PEP 440)."""

from functools import lru_cache

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from mlgate.checks.dependencies.manifest import PINNED, UNPINNED

# Python refuses to turn more than 4300 digits into a number; no real version comes near.
_LONGEST = 200


def parse(text: str) -> Version | None:
    """Return the version, or None where ``text`` is no PEP 440 version."""
    return _parse(text) if len(text) <= _LONGEST else None


# Advisories name the same few versions of a package again and again.
@lru_cache(maxsize=1 << 14)
def _parse(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


def public(version: Version) -> Version:
    """Return the version without its local label: ``2.1.0+cu121`` is judged as ``2.1.0``.

    Advisories are written about public versions; a build for other hardware has the
    same code.
    """
    return Version(version.public) if version.local else version


def pin(specifier: SpecifierSet) -> tuple[str, str | None]:
    """Return the kind of requirement and the version, where exactly one is allowed.

    ``===`` pins whatever stands behind it; ``==2.*`` pins nothing. Two exact versions
    that differ allow none, which is unpinned too: what would be installed is not known.
    """
    exact: dict[object, str] = {}
    for each in specifier:
        if each.operator == "===" or (each.operator == "==" and not each.version.endswith(".*")):
            exact[parse(each.version) or each.version] = each.version
    return (PINNED, next(iter(exact.values()))) if len(exact) == 1 else (UNPINNED, None)
