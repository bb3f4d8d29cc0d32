"""Texts that a model carries beside its tensors: what they could be is handed back to be read as that."""

import io
from collections.abc import Iterator

from mlgate.checks.models.pickle import nested
from mlgate.checks.models.reader import Blob
from mlgate.checks.models.secrets import secret_facts
from mlgate.checks.models.stream import member
from mlgate.core.facts import Fact

_LONGEST = 100_000


def handed_back(blob: Blob, key: str, text: str, *, offset: int, container: str) -> Iterator[Fact | Blob]:
    """Yield a text as a template, a configuration or a pickle where it could be one, and its credentials.

    Args:
        blob: The model.
        key: What the text is kept under.
        text: The text.
        offset: Where it is in the model.
        container: The model's format.
    """
    start = text.lstrip()[:2]
    document = start[:1] in ("{", "[") and start not in ("{{", "{%")
    # What trainers keep as JSON is longer than any template.
    if "chat_template" in key or (could_be_template(text) and not (document and len(text) > _LONGEST)):
        yield _member(blob, f"{key}.jinja", text.encode("utf-8", "replace"), container)
    else:
        yield from secret_facts(blob, text, offset=offset, where=key)
    if document:
        yield _member(blob, f"{key}.json", text.encode("utf-8", "replace"), container)
        return
    data = text.encode("utf-8", "replace")
    how = nested.encoding(data[: nested.HEAD], text=True)
    if how in ("latin1", "base64", "hex"):
        try:
            data = nested.decode(data, how)
        except ValueError:
            return
    if how is not None:
        yield _member(blob, key, data, container, tentative=True)


def could_be_template(text: str) -> bool:
    """Say whether a text has the delimiters of Jinja, one behind the other."""
    starts = [at for at in (text.find("{{"), text.find("{%")) if at >= 0]
    return bool(starts) and max(text.rfind("}}"), text.rfind("%}")) > min(starts)


def _member(blob: Blob, name: str, data: bytes, container: str, *, tentative: bool = False) -> Blob:
    return member(blob, name, io.BytesIO(data), len(data), container=container, tentative=tentative)
