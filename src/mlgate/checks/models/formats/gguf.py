"""GGUF: metadata and tensor descriptions, held against the file to the byte; no tensor is read.

Every text that could be a template, under whatever key and inside whatever list, is handed
back to be judged as one.
"""

from mlgate.checks.models.reader import Blob, later

FORMAT = "gguf"
KIND = "model"
ORDER = 10


def sniff(blob: Blob) -> bool:
    """Look for the magic."""
    return blob.head.startswith(b"GGUF")


read = later("mlgate.checks.models.formats._gguf_file")
