"""Texts that a model carries for programs: credentials in them, and members for other readers."""

import io
from collections.abc import Iterable, Iterator

from mlgate.checks.models.formats._messages import Event
from mlgate.checks.models.reader import Blob
from mlgate.checks.models.secrets import secret_facts
from mlgate.checks.models.stream import member, window
from mlgate.core.facts import Fact

# Shorter ones are words.
_SHORTEST = 16


def properties(
    blob: Blob, found: Iterable[tuple[str, Event]], container: str, *, lines: bool = False
) -> Iterator[Fact | Blob]:
    """Yield what is to be said about the texts, and the texts themselves as members.

    Args:
        blob: The model.
        found: The name of each, and where its value is.
        container: Format of the model.
        lines: True where the model is a text, and places are lines.
    """
    for key, event in found:
        text = str(event.value)
        if lines:
            data = text.encode("utf-8", "surrogateescape")
            stream, size = io.BytesIO(data), len(data)
            yield from secret_facts(blob, text, line=event.at, where=key)
        else:
            size = event.end - event.at
            stream = window(blob.stream, event.at, size)  # type: ignore[assignment]
            yield from secret_facts(blob, text, offset=event.at, where=key)
        if size >= _SHORTEST:
            name = f"{key}.json" if text.lstrip()[:1] in ("{", "[") else key
            yield member(blob, name, stream, size, container=container)
