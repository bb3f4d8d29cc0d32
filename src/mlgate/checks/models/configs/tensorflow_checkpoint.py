"""The ``checkpoint`` text of TensorFlow, which says which checkpoint is the latest."""

import re
from collections.abc import Iterator
from functools import cache

from mlgate.checks.models.formats._messages import TEXT, VALUE, text_events
from mlgate.checks.models.formats._wire import Malformed
from mlgate.checks.models.paths import escape
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.stream import printable
from mlgate.checks.models.text import looks_like_text, read_text
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "tensorflow-checkpoint-state"
KIND = "text"
ORDER = 60

_SCHEMA = {"state": {1: ("model_checkpoint_path", TEXT)}}
# Larger ones list checkpoints by the thousand.
_LONGEST = 1 << 20


def sniff(blob: Blob) -> bool:
    """Say whether it can be one, from its name or its first words: TensorFlow takes any name."""
    return (
        0 < blob.size <= _LONGEST
        and (blob.name == "checkpoint" or b"model_checkpoint_path" in blob.head)
        and looks_like_text(blob)
    )


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield the checkpoint that is named, where it is outside the folder.

    Raises:
        Declined: It names none, or one in its folder.
    """
    text = read_text(blob, limits)
    if _mark().search(text) is None:
        raise Declined
    path, line = "", 0
    try:
        for event in text_events(text, _SCHEMA, "state", clock):
            if event.act == VALUE:
                path, line = str(event.value), event.at
    except Malformed as malformed:
        # TensorFlow refuses the whole text.
        raise Declined from malformed
    way = escape(path)
    if way is None:
        raise Declined
    yield blob.fact("tensorflow.checkpoint", printable(path), line=line, escape=way)


@cache
def _mark() -> re.Pattern[str]:
    return re.compile(r"(?m)^\s*+model_checkpoint_path\s*+:")
