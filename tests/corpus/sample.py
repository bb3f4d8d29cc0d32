"""One sample of the corpus: a few files, and what the model check must say about them."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from typing import NamedTuple

# A symbolic link: the path that it points to.


class Link(NamedTuple):
    to: str


class Sample(NamedTuple):
    """Files as a repository would hold them.

    Attributes:
        family: The module's family: the row of the score.
        name: Unique in the family.
        technique: What a loader does with it, in a sentence or a phrase.
        files: Bytes by path.
        expect: The least that must be said: ``high`` (a finding of that severity or worse),
            ``medium`` (such a finding, or not checked), ``not-checked`` (never a pass), and for
            honest files ``quiet`` (no finding at high or worse, nothing not checked).
    """

    family: str
    name: str
    technique: str
    files: Mapping[str, bytes | Link]
    expect: str = "high"


def hostile() -> Iterator[Sample]:
    """Yield every hostile sample, family by family."""
    yield from _all("tests.corpus.hostile")


def honest() -> Iterator[Sample]:
    """Yield every honest sample, family by family."""
    yield from _all("tests.corpus.honest")


def _all(package: str) -> Iterator[Sample]:
    folder = importlib.import_module(package)
    for module in sorted(each.name for each in pkgutil.iter_modules(folder.__path__)):
        if not module.startswith("_"):
            yield from importlib.import_module(f"{package}.{module}").samples()
