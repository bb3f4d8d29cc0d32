"""Chat templates: Jinja that inference servers render, some of them without a sandbox.

Read from what other readers hand back under a name that ends in ``.jinja``, and from files
that are chat templates by name or content. Of other templates that end in ``.jinja`` only
what no web page does is said: a step to ``__globals__`` or ``__subclasses__``.
"""

from mlgate.checks.models.reader import Blob, later

FORMAT = "chat-template"
KIND = "text"
ORDER = 70
EXTENSIONS = (".jinja", ".jinja2", ".j2")


def sniff(blob: Blob) -> bool:
    """Say whether the name is a template's."""
    return blob.size > 0 and blob.name.endswith((*EXTENSIONS, "chat_template.txt", "chat_template"))


read = later("mlgate.checks.models.configs._jinja_template")
