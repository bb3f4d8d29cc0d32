"""The operators of a mobile TorchScript archive, as its bytecode names them."""

import re
from collections.abc import Iterator
from functools import cache

from mlgate.checks.models.formats._torch_operators import Operators, effects
from mlgate.checks.models.reader import Blob, Clock
from mlgate.checks.models.stream import chunks
from mlgate.core.facts import Fact
from mlgate.core.limits import Limits

FORMAT = "torch-bytecode"
KIND = "text"
ORDER = 20

_LONGEST = 200


def sniff(blob: Blob) -> bool:
    """Say whether it is the bytecode of an archive."""
    return blob.name == "bytecode.pkl" and blob.container in ("torchscript", "torch")


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact]:
    """Yield the operators that do more than compute.

    The bytecode is a pickle, and an operator's name stands in it as it is: nothing can
    build one from parts.

    Raises:
        LimitReached: The time is up, or there are too many.
    """
    operators = Operators(blob, limits, clock)
    kept, start = b"", 0
    for chunk in chunks(blob.stream, 0, blob.size):
        clock.check()
        data = kept + chunk
        for match in _names().finditer(data):
            name = match[0].decode("ascii")
            # The opcode behind a text may be a letter too.
            known = next((each for each in effects() if "::" in each and name.startswith(each)), name)
            yield from operators.note(known, offset=start + match.start())
        kept = data[-_LONGEST:]
        start += len(data) - len(kept)


@cache
def _names() -> re.Pattern[bytes]:
    return re.compile(rb"[A-Za-z_]\w{0,99}::[A-Za-z_]\w{0,99}")
