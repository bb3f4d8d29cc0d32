"""Values of a text that are pickles, archives or packed data in base64 or hexadecimal digits.

JSON and YAML hold no bytes: who keeps a pipeline or an estimator in them encodes it, and the program that
reads it decodes and unpickles it again.
"""

import binascii
import io
import re
from collections.abc import Iterator
from functools import cache

from mlgate.checks.models.configs import _yaml
from mlgate.checks.models.pickle import nested
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.stream import member
from mlgate.checks.models.tables import is_text
from mlgate.checks.models.text import line_of, read_text
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "encoded-values"
KIND = "text"
ORDER = 80

_TABLES = (".csv", ".tsv", ".jsonl", ".ndjson")


def sniff(blob: Blob) -> bool:
    """Any text may be JSON or YAML; longer ones are vocabularies and data."""
    if blob.tentative:
        return False
    return _yaml.could_be_yaml(blob) or (blob.name.endswith(_TABLES) and is_text(blob.head))


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield what is encoded.

    Raises:
        Declined: Nothing is.
        LimitReached: There are too many.
    """
    if blob.size > limits.text_bytes:
        raise Declined
    text = read_text(blob, limits)
    found = False
    for number, value in enumerate(_values().finditer(text)):
        if not number & 0xFF:
            clock.check()
        digits = value[1].encode("ascii")
        how = nested.encoding(digits[: nested.HEAD])
        if how not in ("base64", "hex"):
            continue
        try:
            data = nested.decode(digits, how)
        except (ValueError, binascii.Error):
            continue
        if data:
            found = True
            name = f"line {line_of(text, value.start())}"
            yield member(blob, name, io.BytesIO(data), len(data), container=FORMAT, tentative=True)
    if not found:
        raise Declined


@cache
def _values() -> re.Pattern[str]:
    # A whole value, or one behind the name of its encoding.
    return re.compile(r"(?:[\"'\s,;|]|base64,)([A-Za-z0-9+/_-]{20,}={0,2})(?=[\"'\s,;|]|\Z)", re.ASCII)
