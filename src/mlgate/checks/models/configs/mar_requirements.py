"""Requirements inside a model archive, which the server installs before it loads the model."""

from collections.abc import Iterator

from mlgate.checks.models.configs._requirement_lines import sources
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.text import looks_like_text, read_text
from mlgate.core.facts import Fact
from mlgate.core.limits import Limits

FORMAT = "archived-requirements"
KIND = "text"
ORDER = 75


def sniff(blob: Blob) -> bool:
    """Say whether it is a text in an archive; the manifest may give it any name."""
    known = blob.name.endswith((".json", ".py", ".md"))
    return bool(blob.container) and not known and looks_like_text(blob)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact]:
    """Yield where packages are to come from, if that is not the usual index.

    Raises:
        Declined: It says nothing of that.
        LimitReached: It says too much.
    """
    if blob.size > limits.text_bytes:
        raise Declined  # a vocabulary or data; nobody requires so much
    found = list(sources(read_text(blob, limits)))
    if not found:
        raise Declined
    for form, where, line in found:
        clock.spend("facts", 1, limits.facts)
        yield blob.fact("torch-model-archive.requirement", where, line=line, form=form, file=blob.name)
