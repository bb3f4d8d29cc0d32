"""What a zip archive of torch's is, by the names in its directory."""

_ZIP = b"PK\x03\x04"
# The directory stands at the end; a longer one is of no model that an assessment can hold.
_DIRECTORY_BYTES = 4 << 20
# Of a pickled torch.nn.Module; torch.save writes the pickle first.
_MODULE = b"_non_persistent_buffers_set"
_PICKLE_BYTES = 4 << 20
_TELLING = (
    ("export", b"/archive_format"),
    ("script", b"/constants.pkl"),
    ("weights", b"/data.pkl"),
)


def kind(data: bytes) -> str | None:
    """Return ``export``, ``script``, ``module`` or ``weights``; None for what is no archive of torch's.

    A file that lies about it ends at a loader that refuses it.
    """
    if not data.startswith(_ZIP):
        return None
    end = data[-_DIRECTORY_BYTES:]
    found = next((name for name, member in _TELLING if member in end), None)
    return "module" if found == "weights" and _MODULE in data[:_PICKLE_BYTES] else found
