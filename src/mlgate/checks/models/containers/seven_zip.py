"""7z archives: every member by content, solid or not."""

from mlgate.checks.models.containers._7z_header import (
    MAGIC,
)
from mlgate.checks.models.reader import Blob, later

FORMAT = "7z"
KIND = "container"
ORDER = 10


def sniff(blob: Blob) -> bool:
    """Look for the magic."""
    return blob.head.startswith(MAGIC)


read = later("mlgate.checks.models.containers._7z_archive")
