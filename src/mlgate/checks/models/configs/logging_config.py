"""Logging configurations in INI form, whose handlers ``logging.config.fileConfig`` evaluates."""

from mlgate.checks.models.reader import Blob, later
from mlgate.checks.models.text import looks_like_text

FORMAT = "logging-config"
KIND = "text"
ORDER = 70


def sniff(blob: Blob) -> bool:
    """Go by the name; see ``read`` for what is in it."""
    return blob.name.endswith((".ini", ".cfg", ".conf", ".config", ".properties")) and looks_like_text(blob)


read = later("mlgate.checks.models.configs._logging_handlers")
