"""What a zip archive of torch's is, by the names in its directory."""

_ZIP = b"PK\x03\x04"
# The directory stands at the end; a longer one is of no model that an assessment can hold.
_DIRECTORY_BYTES = 4 << 20
_TELLING = (
    ("export", b"/archive_format"),
    ("script", b"/constants.pkl"),
    ("weights", b"/data.pkl"),
)


def kind(data: bytes) -> str | None:
    """Return ``export``, ``script`` or ``weights``; None for what is no archive of torch's.

    A file that lies about it ends at a loader that refuses it.
    """
    if not data.startswith(_ZIP):
        return None
    end = data[-_DIRECTORY_BYTES:]
    return next((name for name, member in _TELLING if member in end), None)
