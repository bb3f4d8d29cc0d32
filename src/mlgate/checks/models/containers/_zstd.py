"""A Zstandard decompressor with bounded memory, where Python has one."""

import importlib
from types import ModuleType

from mlgate.checks.models.inflate import Step, other

MAGIC = b"\x28\xb5\x2f\xfd"
# Log 2 of the largest window, which is allocated as the stream asks.
_WINDOW = 26
MISSING = (
    "Zstandard needs Python 3.14 or the package backports.zstd, and neither is here; "
    "run `pip install backports.zstd` and scan again"
)


class Missing(Exception):  # noqa: N818 - an answer, not an error
    """This Python cannot read Zstandard."""


def decompressor() -> Step:
    """Return a step for one frame.

    It raises ValueError for what is malformed or asks for more than 64 MiB of memory.

    Raises:
        Missing: See there.
    """
    zstd = _module()
    step = other(zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _WINDOW}))

    def guarded(data: bytes, most: int) -> tuple[bytes, bytes, bool]:
        try:
            return step(data, most)
        except zstd.ZstdError as error:
            raise ValueError(str(error)) from error

    return guarded


def _module() -> ModuleType:
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise Missing
