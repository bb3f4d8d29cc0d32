"""Values of a configuration that are Python source, which the program that reads it executes.

AutoGen keeps a tool's function as ``source_code``, Langflow a component's class as ``code``, and graphs
of nodes have some that run what they are given.
"""

from mlgate.checks.models.configs import _yaml
from mlgate.checks.models.reader import Blob, later

FORMAT = "source-values"
KIND = "aside"
ORDER = 80


def sniff(blob: Blob) -> bool:
    """Any text may be JSON or YAML; see ``read`` for which are parsed."""
    return not blob.tentative and _yaml.could_be_yaml(blob)


read = later("mlgate.checks.models.configs._source_values")
