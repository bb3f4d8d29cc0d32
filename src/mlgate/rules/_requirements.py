"""Where the packages come from that a server or a loader installs for a model."""

from mlgate.core.severity import Severity

# Indexes of the makers of frameworks and devices; and the usual ones.
_INDEXES = (
    "https://pypi.org/", "https://download.pytorch.org/", "https://pypi.nvidia.com", "https://pypi.ngc.nvidia.com",
    "https://developer.download.nvidia.com/", "https://data.pyg.org/", "https://pytorch-extension.intel.com/",
    "https://storage.googleapis.com/jax-releases/", "https://storage.googleapis.com/libtpu-releases/",
    "https://repo.anaconda.com/", "https://conda.anaconda.org/", "https://repo.continuum.io/",
)  # fmt: skip


def severity(where: str, form: str) -> Severity | None:
    """Grade a source of packages: an ``index``, or the ``url`` of one package; None for the usual ones."""
    if where.startswith(_INDEXES):
        return None
    safe = where.startswith(("https://", "git+https://", "git+ssh://"))
    return Severity.MEDIUM if safe and form == "url" else Severity.HIGH
