"""Descriptions of datasets for YOLO, which say how the data is fetched."""

from mlgate.checks.models.configs import _yaml
from mlgate.checks.models.reader import Blob, later

FORMAT = "yolo-dataset"
KIND = "text"
ORDER = 70


def sniff(blob: Blob) -> bool:
    """Any text may be YAML; see ``read`` for which are parsed."""
    return _yaml.could_be_yaml(blob)


read = later("mlgate.checks.models.configs._yolo_download")
