"""Configurations of Triton's models (``config.pbtxt``): files and environments that they name.

Source: ``model_config.proto`` of triton-inference-server/common, and the documentation of the Python
backend, which unpacks and starts what ``EXECUTION_ENV_PATH`` names.
"""

from collections.abc import Iterator

from mlgate.checks.models.formats._messages import TEXT, VALUE, text_events
from mlgate.checks.models.formats._wire import Malformed
from mlgate.checks.models.paths import escape
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.stream import printable
from mlgate.checks.models.text import looks_like_text, read_text
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "triton-config"
KIND = "text"
ORDER = 60

# A library of operators, which the backend for TensorFlow loads.
_LIBRARY = "op_library_filename"
_SCHEMA = {
    "config": {
        8: ("default_model_filename", TEXT),
        9: ("cc_model_filenames", "file"),
        14: ("parameters", "parameter"),
        17: ("backend", TEXT),
        18: ("model_operations", "operations"),
        25: ("runtime", TEXT),
    },
    "operations": {1: (_LIBRARY, TEXT)},
    "file": {2: ("value", TEXT)},
    "parameter": {1: ("key", TEXT), 2: ("value", "text")},
    "text": {1: ("string_value", TEXT)},
}
_ENVIRONMENT = "EXECUTION_ENV_PATH"
# It stands for the model's own folder.
_OWN = "$$TRITON_MODEL_DIRECTORY/"


def sniff(blob: Blob) -> bool:
    """Go by the name that Triton looks for."""
    return blob.name == "config.pbtxt" and looks_like_text(blob)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield files outside the model's folder, and environments and libraries that are loaded for it.

    Raises:
        Declined: There is none, or Triton refuses the text.
        LimitReached: It is too long, nested too deep, or names too much.
    """
    text = read_text(blob, limits)
    found: list[tuple[str, str, int]] = []
    key = ""
    try:
        for event in text_events(text, _SCHEMA, "config", clock):
            if event.act != VALUE:
                continue
            value = str(event.value)
            if event.message == "parameter":
                key = value
            elif event.message != "text" or key == _ENVIRONMENT:
                found.append((key if event.message == "text" else event.field, value, event.at))
    except Malformed as malformed:
        raise Declined from malformed
    said = False
    for name, path, line in found:
        way = escape(path.removeprefix(_OWN))
        if way is not None or name in (_ENVIRONMENT, _LIBRARY):
            said = True
            clock.spend("facts", 1, limits.facts)
            yield blob.fact("triton.path", printable(path, 200), line=line, key=name, escape=way)
    if not said:
        raise Declined
