"""Code of Lambda layers as SavedModels hold it: a list that is written as an object.

The older writers of Keras' configurations keep a list as it is; the metadata of a
SavedModel has ``{"class_name": "__tuple__", "items": [...]}`` in its place. Whatever the
class is called, the code is the first item.
"""

from collections.abc import Iterator

from mlgate.checks.models.json_members import Malformed, begins_json, members, mentions
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.stream import printable
from mlgate.checks.models.text import Lines, looks_like_text, read_text
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "keras-metadata"
KIND = "text"
ORDER = 61

_ITEMS = "items"
_LAMBDA = "lambda"
# Where a Lambda layer keeps code.
_KEYS = frozenset({"function", "output_shape", "mask"})


def sniff(blob: Blob) -> bool:
    """Say whether it can be a JSON document."""
    return begins_json(blob.head) and looks_like_text(blob)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield each piece of code.

    Raises:
        Declined: It holds none.
    """
    if blob.size > limits.text_bytes:
        # Whoever reads such configurations says so.
        raise Declined
    text = read_text(blob, limits)
    if not mentions(text, (_ITEMS,)) or not mentions(text, (_LAMBDA,)):
        raise Declined
    # By the path of the object: where its first item is, and which is a lambda.
    first: dict[tuple[str | int, ...], int] = {}
    lambdas: set[tuple[str | int, ...]] = set()
    try:
        for each in members(text, clock):
            path, value = each.path, each.value
            if not isinstance(value, str) or len(path) < 2:
                continue
            if path[-2:] == (_ITEMS, 0) and len(path) > 2 and path[-3] in _KEYS:
                first.setdefault(path[:-2], each.offset)
            elif value == _LAMBDA and str(path[-1]).endswith("_type"):
                lambdas.add((*path[:-1], str(path[-1]).removesuffix("_type")))
    except Malformed as malformed:
        raise Declined from malformed
    found = [path for path in first if path in lambdas]
    if not found:
        raise Declined
    lines = Lines(text)
    for path in found:
        where = ".".join(str(step) for step in path)
        yield blob.fact(
            "keras.lambda", printable(where, 200), line=lines.at(first[path]), holder=blob.container
        )
