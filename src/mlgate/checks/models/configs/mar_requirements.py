"""Requirements inside a model archive, which the server installs before it loads the model."""

import re
from collections.abc import Iterator
from functools import cache

from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.stream import printable
from mlgate.checks.models.text import line_of, looks_like_text, read_text
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
    text = read_text(blob, limits)
    found = list(_sources().finditer(text))
    if not found:
        raise Declined
    for match in found:
        clock.spend("facts", 1, limits.facts)
        form = "index" if match["option"] else "url"
        where = re.sub(r"//[^/@\s]*@", "//", match["index"] or match["url"])
        yield blob.fact(
            "torch-model-archive.requirement",
            printable(where, 200),
            line=line_of(text, match.start()),
            form=form,
            file=blob.name,
        )


@cache
def _sources() -> re.Pattern[str]:
    # Lines of pip's: an option that names an index, or a requirement that is an address.
    return re.compile(
        r"^[ \t]*(?:(?P<option>--(?:extra-)?index-url|--find-links|--trusted-host|-i|-f)[ \t=]+(?P<index>\S+)"
        r"|(?:-e[ \t]+|--editable[ \t=]+|[\w.-]+(?:\[[^\]\n]*\])?[ \t]*@[ \t]*)?"
        r"(?P<url>(?:git\+|hg\+|svn\+|bzr\+)?[a-z+]+://\S+))",
        re.MULTILINE,
    )
