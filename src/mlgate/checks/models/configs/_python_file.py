"""A Python file: its effects, classes and imports."""

import ast
from collections.abc import Iterator, Sequence

from mlgate.checks.models.configs import _python_effects, _python_tree, _python_words
from mlgate.checks.models.configs._python_entries import entries
from mlgate.checks.models.configs._python_tree import Effect
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.stream import read_at
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

# Of these the folder is on the search path: torch.hub's, and those of servers.
_ON_PATH = frozenset(("hubconf.py", "handler.py", "custom_handler.py", "predict.py", "inference.py"))
# Loaders import these, and what these import from beside them.
_LOADED = ("modeling_", "configuration_", "tokenization_", "processing_", "image_processing_", "hubconf.py")


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield what the source does beyond computing, and the dataset builders in it.

    Raises:
        Declined: It does nothing of note, or Python could not read it either.
        LimitReached: There is too much to note.
    """
    data = read_at(blob.stream, 0, min(blob.size, limits.text_bytes))
    loaded = blob.name.startswith(_LOADED)
    siblings = list(_siblings(blob, data)) if loaded or _near_the_root(blob) else []
    clock.spend("facts", len(siblings), limits.facts)
    yield from siblings
    if not _python_words.telling(data):
        if not siblings:
            raise Declined
        yield from _led_on(blob, data, limits, clock)
        return
    if blob.size > limits.text_bytes or _python_words.heavy(data):
        yield blob.not_checked(
            "limit", "this Python source is too long to be judged; split it, or move its data into a file"
        )
        return
    try:
        tree, left_out = _python_tree.parsed(data)
    except (RecursionError, MemoryError):
        yield blob.not_checked(
            "limit", "this Python source is nested too deep to be judged; write its expressions shorter"
        )
        return
    if tree is None and loaded and not _python_words.old(data):
        yield blob.not_checked(
            "malformed", "this Python source cannot be parsed; correct it, or check it with a newer Python"
        )
        return
    found = None if tree is None else _analysed(blob, tree, clock)
    if tree is not None and found is not None and (found.effects or found.builders or left_out or siblings):
        yield from _acts(blob, tree, found, left_out, limits, clock)
    elif not siblings:
        raise Declined


def _led_on(blob: Blob, data: bytes, limits: Limits, clock: Clock) -> Iterator[Fact]:
    """Yield what source calls in other files, whose own code is harmless: what it calls need not be."""
    small = blob.size <= limits.text_bytes and not _python_words.heavy(data)
    tree = _python_tree.parsed_text(data) if small else None
    # Where that cannot be told, whatever it imports is taken to be called.
    calls = (
        [("", name) for name in _python_words.imported(data)]
        if tree is None
        else _analysed(blob, tree, clock).calls
    )
    yield from _calls(blob, calls, acts=False)


def _acts(  # noqa: PLR0917 - what was found, and what it may cost
    blob: Blob,
    tree: ast.Module,
    found: _python_effects.Source,
    left_out: Sequence[Effect],
    limits: Limits,
    clock: Clock,
) -> Iterator[Fact]:
    """Yield what the source does, calls and defines."""
    for effect in (*found.effects, *left_out):
        clock.spend("facts", 1, limits.facts)
        yield blob.fact(
            "python.effect",
            effect.subject,
            line=effect.line,
            act=effect.act,
            where=effect.where,
            source=effect.source,
            function=effect.function,
            container=blob.container,
        )
    yield from _calls(blob, found.calls, acts=any(each.where == "function" for each in found.effects))
    for name, line in found.builders:
        yield blob.fact("python.dataset-builder", name, line=line)
    if found.effects:
        for name, line, served in entries(tree):
            clock.spend("facts", 1, limits.facts)
            yield blob.fact("python.entry", name, line=line, served=served)


def _analysed(blob: Blob, tree: ast.Module, clock: Clock) -> _python_effects.Source:
    return _python_effects.analyse(tree, clock, offers=_offers(blob), absolute=_on_path(blob))


def _calls(blob: Blob, calls: Sequence[tuple[str, str]], *, acts: bool) -> Iterator[Fact]:
    """Yield which functions call which, where one of them acts or calls what stands in another file."""
    if acts or any(callee.startswith(".") for _, callee in calls):
        yield blob.fact("python.calls", pairs=list(calls), container=blob.container)


def _offers(blob: Blob) -> bool:
    """Say whether a loader calls whatever function of the file it is asked for."""
    path = blob.location.path if blob.location.member is None else blob.location.member
    return blob.name == "hubconf.py" or path.endswith("custom_generate/generate.py")


def _on_path(blob: Blob) -> bool:
    """Say whether loaders have the file's folder on the search path."""
    return blob.name in _ON_PATH or blob.container == "torch-model-archive"


def _near_the_root(blob: Blob) -> bool:
    """Say whether the file lies where models have their code: further down are packages of other kinds."""
    path = blob.location.path if blob.location.member is None else blob.location.member.rpartition("!/")[2]
    return path.removeprefix("./").count("/") <= (3 if blob.name == "__init__.py" else 1)


def _siblings(blob: Blob, data: bytes) -> Iterator[Fact]:
    """Yield the modules beside the file that it imports, unless their names say that they are imported."""
    for name, offset in _python_words.siblings(data, absolute=_on_path(blob)):
        if not name.startswith(_LOADED):
            yield blob.fact("python.import", name, line=data.count(b"\n", 0, offset) + 1, file=False)
    for path, offset in _python_words.files(data):
        yield blob.fact("python.import", path, line=data.count(b"\n", 0, offset) + 1, file=True)
