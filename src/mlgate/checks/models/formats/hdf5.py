"""HDF5: groups, attributes and links of the whole file; of data, only where it is.

What a loader would take from other files is a fact. Attributes and small data that could
be a configuration or a pickle are handed back, to be read as what they are.
"""

from mlgate.checks.models.formats._hdf5_super import place
from mlgate.checks.models.reader import Blob, later

FORMAT = "hdf5"
KIND = "model"
ORDER = 10


def sniff(blob: Blob) -> bool:
    """Look for the signature at the start, or behind a user block of 512, 1024, ... bytes."""
    return place(blob) is not None


read = later("mlgate.checks.models.formats._hdf5_file")
