"""Locales that text operators ask the C library for, read while files open."""

import ctypes

# What onnxruntime's StringNormalizer asks for where a model does not say, and others ask for.
_NAMES = ("C.UTF-8", "en_US.UTF-8", "en_US")
# LC_ALL_MASK of glibc: every category but LC_ALL's own number, 6.
_ALL = 0b1111110111111


def keep() -> None:
    """Let the C library read these locales, where the system has them, and keep them for good."""
    library = ctypes.CDLL(None)
    make = getattr(library, "newlocale", None)
    if make is None:
        return
    make.restype = ctypes.c_void_p
    for name in _NAMES:
        make(_ALL, name.encode(), None)
