"""The parts of an OSV record that matching needs (OSV schema 1.6, https://ossf.github.io/osv-schema/)."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from packaging.utils import canonicalize_name

_ECOSYSTEM = "PyPI"


class Event(Struct, frozen=True, omit_defaults=True):
    """One boundary of a range; exactly one of the fields is set."""

    introduced: str | None = None
    fixed: str | None = None
    last_affected: str | None = None
    limit: str | None = None


class Range(Struct, frozen=True):
    """Boundaries of affected versions; only those of type ECOSYSTEM are versions."""

    type: str
    events: tuple[Event, ...] | None = ()


class Named(Struct, frozen=True):
    """The package that an ``affected`` entry is about."""

    name: str = ""
    ecosystem: str = ""


class Rating(Struct, frozen=True):
    """A severity vector."""

    type: str = ""
    score: str = ""


class Affected(Struct, frozen=True, omit_defaults=True):
    """Versions of one package that a record affects."""

    package: Named | None = None
    ranges: tuple[Range, ...] | None = ()
    versions: tuple[str, ...] | None = ()
    severity: tuple[Rating, ...] | None = ()

    @property
    def name(self) -> str | None:
        """Normalised name of a PyPI package, or None."""
        if self.package is None or self.package.ecosystem.partition(":")[0] != _ECOSYSTEM:
            return None
        return canonicalize_name(self.package.name)


class Record(Struct, frozen=True, omit_defaults=True):
    """One advisory."""

    id: str
    modified: str = ""
    withdrawn: str | None = None
    aliases: tuple[str, ...] | None = None
    affected: tuple[Affected, ...] | None = None
    severity: tuple[Rating, ...] | None = None
    database_specific: Any = None

    @property
    def names(self) -> frozenset[str]:
        """Normalised names of the PyPI packages that it is about."""
        return frozenset(name for each in self.affected or () if (name := each.name) is not None)


class BrokenRecordError(Exception):
    """The bytes are no OSV record."""


class _Mention(Struct, frozen=True):
    package: Named


class _Outline(Struct, frozen=True):
    """What is left of a record whose statements have an unknown shape."""

    id: str
    affected: Annotated[tuple[_Mention, ...], Meta(min_length=1)]
    modified: str = ""


_DECODER = msgspec.json.Decoder(Record, strict=True)
_OUTLINE = msgspec.json.Decoder(_Outline, strict=True)


def decode(data: bytes) -> Record:
    """Decode one record; fields that matching does not need are ignored.

    Of a record in an unknown shape its id and packages are kept where they can be read:
    it then states no version, and only those packages are in doubt.

    Raises:
        BrokenRecordError: It is not JSON, or does not say what it is about.
    """
    try:
        return _DECODER.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        problem = error
    try:
        outline = _OUTLINE.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise BrokenRecordError(str(problem)) from problem
    about = tuple(Affected(package=each.package) for each in outline.affected)
    return Record(id=outline.id, modified=outline.modified, affected=about)
