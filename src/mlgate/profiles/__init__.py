"""Profiles: policies to start from, one YAML file each; found by their names, listed nowhere.

A profile is a template (``string.Template``) of a policy. Its first line says in a comment
what it is for. It may use ``$found`` (the formats that the repository holds, in words),
``$formats`` (lines about ``allow_formats`` that suit them), ``$codeless`` (formats that
run no code), ``$manifests`` (lines that name the manifests), ``$name`` and ``$model`` (of a
model to assess).
"""

from pathlib import Path
from string import Template

_FOLDER = Path(__file__).parent
_SUFFIX = ".yaml"
DEFAULT = "standard"


def names() -> tuple[str, ...]:
    """Return the names of the profiles, sorted."""
    return tuple(sorted(path.stem for path in _FOLDER.glob(f"*{_SUFFIX}")))


def load(name: str) -> Template:
    """Return one profile.

    Raises:
        KeyError: There is no such profile.
    """
    if name not in names():
        raise KeyError(name)
    return Template((_FOLDER / f"{name}{_SUFFIX}").read_text(encoding="utf-8"))
