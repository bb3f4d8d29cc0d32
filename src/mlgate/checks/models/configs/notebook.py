"""Notebooks: commands that fetch and run, code that hides, outputs that run when shown, credentials."""

from mlgate.checks.models import json_members
from mlgate.checks.models.reader import Blob, later
from mlgate.checks.models.text import looks_like_text

FORMAT = "notebook"
KIND = "text"
ORDER = 70


def sniff(blob: Blob) -> bool:
    """Look for cells at the start, or a notebook's name."""
    if not json_members.begins_json(blob.head) or not looks_like_text(blob):
        return False
    return blob.name.endswith(".ipynb") or b'"cells"' in blob.head or b'"worksheets"' in blob.head


read = later("mlgate.checks.models.configs._notebook")
