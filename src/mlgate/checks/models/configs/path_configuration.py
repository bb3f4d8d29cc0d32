"""Path configuration files (``.pth``) of Python's ``site``: a line that begins with ``import`` is run.

PyTorch's weights have the same extension, and are no text.
Source: https://docs.python.org/3/library/site.html
"""

from mlgate.checks.models.reader import Blob, later
from mlgate.checks.models.tables import is_text

FORMAT = "path-configuration"
KIND = "text"
ORDER = 70


def sniff(blob: Blob) -> bool:
    """Go by the name: ``site`` reads no other."""
    return bool(blob.size) and blob.name.endswith(".pth") and is_text(blob.head)


read = later("mlgate.checks.models.configs._path_lines")
