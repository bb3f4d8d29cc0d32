"""Python source: what it does when a loader imports it."""

from mlgate.checks.models.reader import Blob, later
from mlgate.checks.models.text import looks_like_text

FORMAT = "python"
KIND = "text"
ORDER = 70
SUFFIXES = (".py", ".pyw")


def sniff(blob: Blob) -> bool:
    """Go by the name: nothing imports Python source under another."""
    named = blob.name.endswith(SUFFIXES)
    path = "/" + (blob.location.member or "").rpartition("!/")[2].lower()
    compiled = blob.container == "torchscript" and "/code/" in path
    # Python minds no control characters but NUL.
    return named and not compiled and (looks_like_text(blob) or b"\0" not in blob.head)


read = later("mlgate.checks.models.configs._python_file")
