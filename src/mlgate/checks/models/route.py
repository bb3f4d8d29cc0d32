"""Routing of one blob by its content, and the wall around each reader.

Extensions do not decide how anything is read. They only say where content that
nothing can read must not pass as harmless, and where content is not what its name says.
"""

from collections.abc import Iterator
from functools import cache
from typing import TypeAlias, cast

from msgspec import Struct

from mlgate.checks.models.executable import executable
from mlgate.checks.models.opaque import convinces, search
from mlgate.checks.models.reader import HEAD, Blob, Clock, Declined, LimitReached, Reader
from mlgate.checks.models.stream import read_at
from mlgate.checks.models.tables import is_native_name, is_text, promise, recognise
from mlgate.core.discovery import modules
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

Item: TypeAlias = Fact | NotChecked | Blob

OPAQUE = "opaque"
_HOMES = ("mlgate.checks.models.containers", "mlgate.checks.models.formats", "mlgate.checks.models.configs")
# With these spent, nothing more of the file can be read.
_SHARED = frozenset({"file_seconds", "members", "inflated_bytes", "facts"})
_HELD = 100
# What a payload within a pickle does, besides importing and calling.
_ADDED = frozenset({"pickle.extension", "pickle.unresolved", "pickle.computed-callee"})


class Route(Struct):
    """What became of one blob.

    Attributes:
        blob: The blob.
        format: As in :class:`~mlgate.checks.models.walk.Examined`.
        kind: As in :class:`~mlgate.checks.models.reader.Reader`; "" where nothing is known of it.
    """

    blob: Blob
    format: str = ""
    kind: str = ""

    @property
    def model(self) -> bool:
        """True where the blob is a model of some format."""
        return self.kind == "model" and not self.blob.tentative


@cache
def readers() -> tuple[Reader, ...]:
    """Return every reader there is, in the order in which they are asked."""
    found = (cast("Reader", module) for home in _HOMES for module in modules(home))
    return tuple(sorted(found, key=lambda each: (each.ORDER, each.FORMAT)))


def limit_reached(blob: Blob, limit: LimitReached, limits: Limits) -> NotChecked:
    """Say which limit ended the reading of a blob, and how to raise it."""
    reason = "timeout" if limit.what == "file_seconds" else "limit"
    return blob.not_checked(
        reason,
        f"not read to its end: limits.{limit.what} ({getattr(limits, limit.what, 'fixed')}) was reached; "
        "raise it in the policy to read on",
    )


class Router:
    """Asks readers about blobs.

    Args:
        known: The readers, in order.
    """

    def __init__(self, known: tuple[Reader, ...]) -> None:
        self._readers = known
        # What these hold is not held by a model.
        self._packages = {"", OPAQUE, *(reader.FORMAT for reader in known if reader.KIND != "model")}
        self._unpickler = next((reader for reader in known if reader.FORMAT == "pickle"), None)

    def visit(self, route: Route, limits: Limits, clock: Clock) -> Iterator[Item]:
        """Yield all that is to be said about one blob and fill in its route's format.

        Every reader that the content may be for is asked: the first that reads it names
        the format, and the others may still find what a second loader would.

        Raises:
            LimitReached: A limit of the whole file.
        """
        blob = route.blob
        claims: list[_Reading] = []
        for reader in self._readers:
            if reader.KIND in ("text", "aside") and blob.tentative and blob.size > limits.text_bytes:
                continue  # a tensor's numbers, which nobody reads as a text
            try:
                if not reader.sniff(blob):
                    continue
                failure = None
            except Exception as error:  # noqa: BLE001 - reported by the wall around the reader
                failure = error
            reading = _Reading(reader, blob, held=bool(claims) or blob.tentative)
            yield from reading.items(limits, clock, failure)
            if reading.claimed and reading.kind != "aside":
                claims.append(reading)
        # What starts where the file starts names it; a text is what it is besides.
        claims.sort(key=lambda each: (each.kind == "text", each.appended))
        formats = [each.format for each in claims if each.kind != "text"]
        magic = recognise(blob.head, blob.name)
        if magic is not None and not magic.inert and not blob.tentative:
            formats.append(magic.format)
            yield blob.not_checked(
                "unsupported-format",
                f"this is {magic.format} content, which cannot be judged yet; convert it to safetensors "
                "or ONNX, exclude it, or waive this after a review",
            )
        if len(formats) > 1 and not blob.tentative:
            # An archive at the end may be honest content of what stands before it.
            appended = any(each.appended for each in claims)
            yield blob.fact("core.polyglot", " and ".join(formats), formats=formats, appended=appended)
        if not formats and magic is None:
            yield from self._unknown(route, limits, clock)
        if claims:
            route.format, route.kind = claims[0].format, claims[0].kind
        elif formats:
            route.format, route.kind = formats[0], "model"
        if not blob.tentative:
            yield from _against_extension(route)

    def _unknown(self, route: Route, limits: Limits, clock: Clock) -> Iterator[Item]:
        """Look into content that nothing recognises."""
        blob = route.blob
        native = executable(blob.stream, 0, blob.size)
        if native is not None:
            # A library inside a model is no model, whatever its name.
            if blob.container not in self._packages or not is_native_name(blob.name):
                yield blob.fact("payload.executable", native, offset=0, container=blob.container)
                route.format = OPAQUE
            return
        if blob.tentative or not blob.size:
            return
        tail = max(blob.size - HEAD, 0)
        if is_text(blob.head) and (not tail or is_text(read_at(blob.stream, tail, HEAD))):
            return
        route.format = OPAQUE
        yield from search(blob, self._unpickler, limits, clock)


class _Reading:
    """One reader at one blob. Whatever goes wrong in it is "not checked".

    Args:
        reader: The reader.
        blob: The blob.
        held: True where the blob need not be of this format at all: what the reader
            cannot read counts only once it has also seen something.
    """

    def __init__(self, reader: Reader, blob: Blob, *, held: bool) -> None:
        self._reader = reader
        self._blob = blob
        self._held = held
        self.format = reader.FORMAT
        self.kind = reader.KIND
        self.appended = False
        self.claimed = False

    def items(self, limits: Limits, clock: Clock, failure: Exception | None) -> Iterator[Item]:
        """Yield what the reader says, or what became of ``failure``, which its ``sniff`` ended with."""
        waiting: list[Fact | NotChecked] = []
        for item in self._guarded(limits, clock, failure):
            if isinstance(item, Fact) and item.kind == "core.format":
                self.format = item.subject
                self.kind = "model" if item.detail.get("model", True) else self.kind
                self.appended = bool(item.detail.get("appended"))
            elif not self._held:
                yield item
            elif isinstance(item, Blob):
                # A member shows that an archive is one; a pickle is only known by what it does.
                self._held = self._reader.FORMAT == "pickle"
                yield item
            elif isinstance(item, NotChecked) or not self._proves(item):
                waiting += [item] if len(waiting) < _HELD else []
            else:
                self._held = False
                yield from waiting
                yield item
        self.claimed = self.claimed and not self._held

    def _proves(self, fact: Fact) -> bool:
        """Say whether a fact shows that the blob is what this reader takes it for."""
        if self._reader.FORMAT != "pickle":
            return True
        if self._blob.container == "pickle":
            # Digits and base64 of nothing often begin as a pickle does, and import nothing.
            return fact.kind in _ADDED or convinces(fact, strict=False)
        return convinces(fact, strict=self._blob.head[:1] != b"\x80")

    def _guarded(self, limits: Limits, clock: Clock, failure: Exception | None) -> Iterator[Item]:
        try:
            if failure is not None:
                raise failure  # noqa: TRY301 - told apart below, as those of the reading
            yield from self._reader.read(self._blob, limits, clock)
        except Declined:
            return
        except LimitReached as limit:
            if limit.what in _SHARED:
                raise
            yield limit_reached(self._blob, limit, limits)
        except MemoryError:
            yield limit_reached(self._blob, LimitReached("memory_bytes"), limits)
        except OSError as error:
            yield self._blob.not_checked("unreadable", f"cannot be read: {error.strerror or error}")
        except Exception as error:  # noqa: BLE001 - the wall around one hostile file
            yield self._blob.not_checked(
                "reader-failed",
                f"the {self._reader.FORMAT} reader failed with {type(error).__name__}; please report this",
            )
        self.claimed = True


def _against_extension(route: Route) -> Iterator[Item]:
    """Hold the content against what the name promises."""
    blob, format_ = route.blob, route.format
    promised = promise(blob.name)
    if promised is None or format_ == "lfs":
        return
    if format_ not in ("", OPAQUE) and route.kind != "text":
        if format_ not in promised.formats and (promised.formats or route.kind == "model"):
            yield blob.fact("core.mismatch", format_, name=blob.name, promised=sorted(promised.formats))
    elif promised.closed and not blob.size:
        yield blob.not_checked("empty", "the file is empty: there was nothing to look at; fetch it again")
    elif promised.closed and format_ not in promised.formats and not (promised.text and format_ != OPAQUE):
        if promised.unread:
            yield blob.not_checked(
                "unsupported-format",
                f"its name says {promised.unread}, which cannot be judged yet; convert it to ONNX, "
                "exclude it, or waive this after a review",
            )
        else:
            yield blob.not_checked(
                "unreadable-format",
                "its name promises a model, and its content is nothing that can be read; fetch it again, "
                "or give it the name of what it is",
            )
