"""TorchServe's archives: what the manifest has the server import and install."""

from collections.abc import Iterator

from mlgate.checks.models.json_members import Malformed, begins_json, members
from mlgate.checks.models.paths import escape
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.stream import printable
from mlgate.checks.models.text import line_of, read_text
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "mar-manifest"
KIND = "text"
ORDER = 60

_PARTS = ("model", "workflow")
# Keys of a manifest's model that name files of the archive.
_FILES = frozenset(
    {"handler", "modelFile", "serializedFile", "requirementsFile", "configFile", "specFile", "extraFiles"}
)

# Web pages and extensions have manifests as well.
_TELLING = ('"archiverVersion"', '"modelServerVersion"', '"serializedFile"')


def sniff(blob: Blob) -> bool:
    """Say whether it has the manifest's name. The server goes by it, in a folder as in an archive."""
    return blob.name == "manifest.json" and begins_json(blob.head)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked]:
    """Yield the files that the manifest names.

    Raises:
        Declined: It is another manifest, or no JSON.
        LimitReached: It is longer than ``limits.text_bytes``, or names too much.
    """
    text = read_text(blob, limits)
    home = "/MAR-INF/" in f"/{blob.location.member or blob.location.path}"
    found: list[Fact] = []
    model = malformed = False
    try:
        for each in members(text, clock):
            key = each.path[1] if len(each.path) > 1 and each.path[0] in _PARTS else None
            model = model or key in ("modelName", "workflowName", "serializedFile", "handler")
            if key in _FILES and isinstance(each.value, str):
                line = line_of(text, each.offset)
                for fact in _files(blob, str(key), each.value, line):
                    clock.spend("facts", 1, limits.facts)
                    found.append(fact)
    except Malformed:
        malformed = True
    if not home and (malformed or not model or not any(word in text for word in _TELLING)):
        raise Declined
    if not found and not malformed:
        raise Declined
    yield from found
    if malformed:
        yield blob.not_checked("malformed", "the manifest is no JSON document; build the archive again")


def _files(blob: Blob, key: str, value: str, line: int) -> Iterator[Fact]:
    kind = "torch-model-archive.handler" if key == "handler" else "torch-model-archive.file"
    for name in value.split(",") if key == "extraFiles" else [value]:
        if name.strip():
            yield blob.fact(
                kind, printable(name.strip(), 200), line=line, key=key, escape=escape(name.strip())
            )
