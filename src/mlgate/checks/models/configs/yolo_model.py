"""Model descriptions of YOLO, whose loaders evaluate the names and arguments of layers as Python."""

from mlgate.checks.models.configs import _yaml
from mlgate.checks.models.reader import Blob, later

FORMAT = "yolo-model"
KIND = "text"
ORDER = 70


def sniff(blob: Blob) -> bool:
    """Any text may be YAML or JSON; see ``read`` for which are parsed."""
    return _yaml.could_be_yaml(blob)


read = later("mlgate.checks.models.configs._yolo_layers")
