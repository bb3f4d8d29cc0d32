"""LZ4: frames and legacy frames, as joblib and the command line write them."""

from mlgate.checks.models.containers._frames import LZ4, LZ4_LEGACY, first_magic
from mlgate.checks.models.reader import Blob, later

FORMAT = "lz4"
KIND = "container"
ORDER = 10


def sniff(blob: Blob) -> bool:
    """Look for the magic, behind frames that decoders skip."""
    return first_magic(blob).startswith((LZ4, LZ4_LEGACY))


read = later("mlgate.checks.models.containers._lz4_stream")
