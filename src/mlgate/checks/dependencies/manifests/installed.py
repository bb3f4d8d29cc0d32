"""What is installed: the metadata that installers leave beside a package.

It counts only where an environment is what the user asks about; see discovery.
"""

import re

from packaging.utils import canonicalize_name

from mlgate.checks.dependencies.manifest import PINNED, Reading, Requirement, Unreadable, shown
from mlgate.core.limits import Limits

FORMAT = "installed package"
LOCK = False
ENVIRONMENT = True

_HEADERS = 256 << 10


def claims(path: str) -> bool:
    """``*.dist-info/METADATA``, ``*.egg-info/PKG-INFO`` and ``*.egg-info``."""
    folder, _, name = path.rpartition("/")
    if name == "METADATA":
        return folder.endswith(".dist-info")
    if name == "PKG-INFO":
        return folder.endswith((".egg-info", "EGG-INFO"))
    return name.endswith(".egg-info")


def read(data: bytes, limits: Limits) -> Reading:  # noqa: ARG001 - every reader takes the limits
    """Read name and version of one installed package.

    Raises:
        Unreadable: It has no name or no version.
    """
    # The headers end at the first empty line; what follows is a description.
    head = re.split(r"\r?\n\r?\n", data[:_HEADERS].decode("utf-8", "replace"), maxsplit=1)[0]
    fields: dict[str, tuple[str, int]] = {}
    for number, text in enumerate(head.splitlines(), 1):
        key, colon, value = text.partition(":")
        if colon:
            fields.setdefault(key.strip().lower(), (value.strip(), number))
    name, version = fields.get("name", ("", 0))[0], fields.get("version", ("", 0))
    if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,200}[A-Za-z0-9])?", name) or not version[0]:
        raise Unreadable(
            "unparseable", "names no package and version, as installers write them; install the package anew"
        )
    requirement = Requirement(
        name=canonicalize_name(name),
        text=shown(f"{name}=={version[0]}"),
        line=version[1],
        kind=PINNED,
        version=shown(version[0]),
        hashed=True,
    )
    return Reading(requirements=(requirement,))
