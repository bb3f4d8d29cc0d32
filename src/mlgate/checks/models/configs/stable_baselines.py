"""Settings of a Stable-Baselines3 archive: the texts in them that are unpickled when it is loaded.

Source: ``stable_baselines3/common/save_util.py``, ``json_to_data``.
"""

import base64
import binascii
import io
from collections.abc import Iterator

from mlgate.checks.models import json_members
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.stream import member
from mlgate.checks.models.text import read_text
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "stable-baselines3"
KIND = "text"
ORDER = 60

_KEY = ":serialized:"


def sniff(blob: Blob) -> bool:
    """Look for JSON inside an archive; the loader takes no other."""
    return bool(blob.container) and json_members.begins_json(blob.head)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield what is unpickled, by the name of its setting.

    Raises:
        Declined: Nothing is.
        LimitReached: The text is too long, or nested too deep.
    """
    if blob.size > limits.text_bytes:
        raise Declined  # a vocabulary, or a file that readers of its own report
    text = read_text(blob, limits)
    if not json_members.mentions(text, (_KEY,)):
        raise Declined
    found = False
    try:
        for each in json_members.members(text, clock):
            if each.key != _KEY or not isinstance(each.value, str):
                continue
            try:
                # As the loader does: what is no base64 is dropped.
                data = base64.b64decode(each.value.encode("utf-8", "surrogatepass"))
            except binascii.Error:
                continue  # the loader fails on it
            found = True
            name = str(each.path[-2]) if len(each.path) > 1 else "value"
            yield member(blob, f"{name}.pkl", io.BytesIO(data), len(data), container=FORMAT)
    except json_members.Malformed:
        pass  # no loader reads it either
    if not found:
        raise Declined
