"""A walk of an HDF5 file: groups, attributes and links, and data only where it may be telling."""

import io
from collections.abc import Iterator

from mlgate.checks.models.formats import _hdf5_header as header
from mlgate.checks.models.formats._hdf5_attributes import Attribute, Attributes
from mlgate.checks.models.formats._hdf5_filters import REGISTERED
from mlgate.checks.models.formats._hdf5_heap import GlobalHeap, Place
from mlgate.checks.models.formats._hdf5_links import (
    EXTERNAL,
    HARD,
    SOFT,
    Foreign,
    Link,
    Links,
    raw_files,
    virtual_files,
)
from mlgate.checks.models.formats._hdf5_source import Broken, Source
from mlgate.checks.models.formats._hdf5_super import Root, place, root
from mlgate.checks.models.formats._hdf5_values import Dataset, contents, decoded, telling
from mlgate.checks.models.formats.hdf5 import FORMAT
from mlgate.checks.models.paths import escape
from mlgate.checks.models.reader import Blob, Clock, Declined, LimitReached
from mlgate.checks.models.stream import member, printable, window
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

# Where Keras keeps the configuration of a model and of its training.
_CONFIGURATIONS = frozenset({b"model_config", b"training_config", b"keras_metadata", b"optimizer_config"})
_LONGEST_PATH = 300


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield which other files the file needs, and what its attributes hold.

    Raises:
        Declined: There is no signature.
        LimitReached: There are more objects than ``limits.members``.
    """
    base = place(blob)
    if base is None:
        raise Declined
    source = Source(blob.stream, blob.size, base, clock)
    try:
        start = root(source)
    except Broken as broken:
        yield _gap(blob, "the superblock", broken)
        return
    if start.end > blob.size - base:
        yield blob.not_checked(
            "truncated", "the file ends before its own end; what is there was looked at, fetch it again"
        )
    yield from _File(blob, source, limits, clock).items(start)


class _File:
    """The walk over the objects of a file, each once, without recursion."""

    def __init__(self, blob: Blob, source: Source, limits: Limits, clock: Clock) -> None:
        self._blob, self._source = blob, source
        self._limits, self._clock = limits, clock
        self._headers = header.Headers(source)
        self._heap = GlobalHeap(source)
        self._attributes = Attributes(source, self._headers, self._heap)
        self._links = Links(source)
        self._pending: list[tuple[int, str]] = []
        self._known: set[int] = set()
        self._plugins: set[int] = set()
        self._foreigners: set[tuple[bytes, str]] = set()

    def items(self, start: Root) -> Iterator[Fact | NotChecked | Blob]:
        """Yield what is to be said about the file."""
        yield from self._extension(start)
        if self._source.undefined(start.object):
            yield self._blob.not_checked("malformed", "the file has no root group; write it again")
        self._follow(start.object, "")
        if start.symbols is not None:
            yield from self._guarded("", self._listed(self._links.symbols(*start.symbols), ""))
        while self._pending:
            self._clock.check()
            address, path = self._pending.pop()
            yield from self._guarded(path, self._object(address, path))

    def _guarded(
        self, path: str, items: Iterator[Fact | NotChecked | Blob]
    ) -> Iterator[Fact | NotChecked | Blob]:
        """Yield the items up to a structure that cannot be read, and say so."""
        try:
            yield from items
        except Broken as broken:
            yield _gap(self._blob, path or "/", broken)

    def _extension(self, start: Root) -> Iterator[Fact | NotChecked | Blob]:
        """Read what the superblock says elsewhere."""
        if start.driver:
            yield self._blob.not_checked(
                "unsupported-format",
                "this is one of several files that belong together; write the model as one file",
            )
        if start.extension is None:
            return
        yield from self._guarded("the superblock", self._settings(start.extension))

    def _settings(self, address: int) -> Iterator[Fact | NotChecked | Blob]:
        for message in self._headers.messages(address):
            if message.kind in (header.DRIVER, header.CACHE):
                yield self._blob.not_checked(
                    "unsupported-format",
                    "parts of this file are in other files, or in an image of the library's cache; "
                    "write it again with h5repack",
                    offset=self._source.offset(message.place.address),
                )
            elif message.kind == header.SHARED_TABLE:
                cursor = header.opened(self._source, message.place)
                cursor.expect(b"", 0)
                self._headers.share(cursor.pointer(), cursor.number(1))

    def _follow(self, address: int, path: str) -> None:
        if address in self._known or self._source.undefined(address):
            return
        if len(self._known) >= self._limits.members:
            raise LimitReached("members")
        self._known.add(address)
        self._pending.append((address, path[-_LONGEST_PATH:]))

    def _object(self, address: int, path: str) -> Iterator[Fact | NotChecked | Blob]:
        """Read one group, data set or committed datatype."""
        dataset = Dataset()
        for message in self._headers.messages(address):
            kind, at = message.kind, message.place
            if kind == header.ATTRIBUTE:
                yield from self._guarded(path, self._attribute(at, path, dataset))
            elif kind == header.ATTRIBUTE_INFO:
                yield from self._guarded(path, self._many(at, path, dataset))
            elif kind == header.GROUP:
                yield from self._guarded(path, self._listed(self._links.table(at), path))
            elif kind == header.LINK_INFO:
                yield from self._guarded(path, self._listed(self._links.dense(at), path))
            elif kind == header.LINK:
                yield from self._guarded(path, self._listed(iter([self._links.link(at)]), path))
            elif kind == header.EXTERNAL:
                yield from self._guarded(path, self._foreign(raw_files(self._source, at), path, "raw data"))
            else:
                dataset.note(kind, at)
        if dataset.layout is not None:
            yield from self._guarded(path, self._data(dataset, dataset.layout, path))

    def _listed(self, links: Iterator[Link], path: str) -> Iterator[Fact | NotChecked | Blob]:
        for link in links:
            self._clock.check()
            inside = f"{path}/{_text(link.name)}"
            if link.kind == HARD:
                self._follow(link.address, inside)
            elif link.kind == EXTERNAL:
                yield from self._external(link.file, link.target, inside, "link", link.place)
            elif link.kind != SOFT:
                yield self._blob.not_checked(
                    "unsupported-format",
                    f"{inside} is a link that only a program of its own can follow; remove it",
                    offset=link.place,
                )

    def _many(self, info: Place, path: str, dataset: Dataset) -> Iterator[Fact | NotChecked | Blob]:
        for at in self._attributes.dense(info):
            yield from self._guarded(path, self._attribute(at, path, dataset))

    def _attribute(self, at: Place, path: str, dataset: Dataset) -> Iterator[Fact | NotChecked | Blob]:
        self._clock.check()
        attribute = self._attributes.attribute(at)
        dataset.mark(attribute, self._source)
        for value in self._attributes.values(attribute):
            yield from self._value(attribute, value, path)

    def _value(self, attribute: Attribute, value: Place, path: str) -> Iterator[Blob]:
        configuration = attribute.name in _CONFIGURATIONS
        name = _text(attribute.name)
        if configuration and path:
            name = f"{path}/{name}"
        elif not configuration:
            name = f"{path}@{name}"
        found = telling(self._source, value)
        if found is None and not configuration:
            return
        if found == "json" or configuration:
            name += ".json"
            value = contents(self._source, value)
        if found == "base64" and not configuration:
            data = decoded(self._source, value)
            if data is not None:
                stream = io.BytesIO(data)
                yield member(self._blob, name, stream, len(data), container=FORMAT, tentative=True)
            return
        yield self._member(name, value, tentative=not configuration)

    def _data(self, dataset: Dataset, layout: Place, path: str) -> Iterator[Fact | NotChecked | Blob]:
        if dataset.virtual(self._source):
            files = virtual_files(self._source, layout, self._heap)
            yield from self._foreign(files, path, "virtual data set")
            return
        if dataset.filters is not None:
            for step in dataset.steps(self._source):
                if step.number >= REGISTERED and step.number not in self._plugins:
                    self._plugins.add(step.number)
                    offset = self._source.offset(dataset.filters.address)
                    yield self._blob.fact(
                        "hdf5.filter", printable(step.name, 100), offset=offset, number=step.number
                    )
        for value in dataset.values(self._source, self._attributes):
            self._clock.check()
            if isinstance(value, bytes):
                stream = io.BytesIO(value)
                yield member(
                    self._blob, path.lstrip("/"), stream, len(value), container=FORMAT, tentative=True
                )
            else:
                yield self._member(path, value, tentative=not dataset.pickled)
        if dataset.unread:
            yield self._blob.not_checked(
                "unsupported-format",
                f"{path} holds pickles in a layout that cannot be read; write it again without filters",
            )

    def _foreign(self, files: Iterator[Foreign], path: str, how: str) -> Iterator[Fact]:
        for each in files:
            self._clock.check()
            yield from self._external(each.file, each.target, path, how, each.place)

    def _external(self, file: bytes, target: bytes, path: str, how: str, offset: int) -> Iterator[Fact]:
        """Yield a fact about another file, the first time that it is needed."""
        if (file, how) in self._foreigners:
            return
        self._foreigners.add((file, how))
        name = file.decode("utf-8", "backslashreplace")
        yield self._blob.fact(
            "hdf5.external", printable(name), offset=offset, how=how, at=printable(path, _LONGEST_PATH),
            target=_text(target), escape="remote" if "://" in name else escape(name),
        )  # fmt: skip

    def _member(self, name: str, value: Place, *, tentative: bool) -> Blob:
        stream = window(self._blob.stream, self._source.offset(value.address), value.size)
        return member(self._blob, name.lstrip("/"), stream, value.size, container=FORMAT, tentative=tentative)


def _gap(blob: Blob, what: str, broken: Broken) -> NotChecked:
    return blob.not_checked(
        broken.reason,
        f"{what} cannot be read to its end ({broken.what}); fetch the file or write it again",
        offset=broken.address,
    )


def _text(name: bytes) -> str:
    return printable(name.decode("utf-8", "backslashreplace"), 200)
