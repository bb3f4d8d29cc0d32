"""The model check: every file of the target, routed by content, read and never loaded."""

import hashlib
import posixpath
from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec.structs import replace

from mlgate.checks import Scope
from mlgate.checks.models import pool
from mlgate.checks.models.configs.python_source import SUFFIXES as SOURCE
from mlgate.checks.models.links import end, through, unseen
from mlgate.checks.models.reader import HEAD, Blob
from mlgate.checks.models.route import Router, readers
from mlgate.checks.models.stream import chunks, read_at
from mlgate.checks.models.walk import Examined, examine
from mlgate.core.facts import Check, Fact, FileRecord, Location, NotChecked, Observations
from mlgate.listing import File
from mlgate.policy.globs import compile_globs
from mlgate.policy.schema import Models

_DEFAULT_NAME = ".mlgate.yaml"


def collect(scope: Scope) -> Observations:
    """Look at every file of the target that the policy includes.

    A hostile file can make itself "not checked", and nothing else.
    """
    models = scope.policy.policy.models
    wanted = _wanted(models)
    router = Router(readers())
    parts = [Observations(not_checked=tuple(_unmatched(scope, models)))]
    files = [file for file in scope.target.files if wanted(file.path)]
    seen = Observations.merge([*parts, *_looked_at(scope, files, router)])
    return seen if scope.target.whole else replace(seen, context=_context(scope, seen.facts, router))


def _context(scope: Scope, facts: Iterable[Fact], router: Router) -> tuple[Fact, ...]:
    """Return what is known of the files beside a change: a configuration says which source is run.

    Beside source that acts every file counts, and beside anything else source alone.
    """
    folders: set[str] = set()
    acting: set[str] = set()
    for fact in facts:
        # What a function could do matters where source calls it, and source is looked at anyway.
        acts = fact.kind == "python.effect" and fact.detail["where"] != "function"
        (acting if acts else folders).update(_above(fact.location.path))
    wanted = _wanted(scope.policy.policy.models)

    def counts(path: str) -> bool:
        folder = posixpath.dirname(path)
        return folder in acting or (folder in folders and path.lower().endswith(SOURCE))

    paths = [path for path in scope.target.unchanged() if counts(path) and wanted(path)] if facts else ()
    files = [file for file in map(scope.target.find, paths) if file is not None]
    return Observations.merge(_looked_at(_unhashed(scope), files, router)).facts


def _above(path: str) -> Iterator[str]:
    """Yield the folder of a path, and every folder above it."""
    while path:
        path = posixpath.dirname(path)
        yield path


def _unhashed(scope: Scope) -> Scope:
    policy = scope.policy.policy
    limits = replace(policy.limits, hash_bytes=0)
    return replace(scope, policy=replace(scope.policy, policy=replace(policy, limits=limits)))


def _wanted(models: Models) -> Callable[[str], bool]:
    included, excluded = compile_globs(models.include), compile_globs(models.exclude)
    return lambda path: included(path) and not excluded(path)


def _looked_at(scope: Scope, files: Sequence[File], router: Router) -> Iterator[Observations]:
    """Yield what was seen in each file, in the files' order."""
    if not scope.jobs or not files:
        for file in files:
            scope.progress(file.path)
            yield _file(scope, file, router)
        return
    limits = scope.policy.policy.limits
    seen: dict[int, Observations] = {}
    for number, observed in pool.run(
        lambda number: _file(scope, files[number], router),
        lambda number, reason: _lost(files[number], reason),
        len(files),
        min(scope.jobs, len(files)),
        limits.file_seconds,
        limits.memory_bytes,
    ):
        scope.progress(files[number].path)
        seen[number] = observed
    yield from (seen[number] for number in range(len(files)))


def _lost(file: File, reason: str) -> Observations:
    if reason == "timeout":
        message = (
            "not read to its end: limits.file_seconds was reached; raise it in the policy to read on, or "
            "exclude the file"
        )
    else:
        message = (
            "the process that read this file ended unexpectedly, twice; exclude the file, and please "
            "report this"
        )
    return _gap(file, reason, message)


def _unmatched(scope: Scope, models: Models) -> Iterator[NotChecked]:
    """Yield the include patterns that match nothing: a renamed folder must not pass unseen."""
    if not scope.target.whole:
        return
    for at, pattern in enumerate(models.include):
        matches = compile_globs([pattern])
        if pattern != "**" and not any(matches(file.path) for file in scope.target.files):
            yield NotChecked(
                check=Check.MODELS,
                reason="nothing-matched",
                location=Location(
                    path=scope.policy.path or _DEFAULT_NAME, line=scope.policy.line(f"models.include[{at}]")
                ),
                message=f"models.include has {pattern!r}, which matches no file; correct it, or remove it",
                subject=pattern,
            )


def _file(scope: Scope, file: File, router: Router) -> Observations:
    if file.kind == "link":
        return _link(scope, file)
    if file.kind != "file":
        return _gap(
            file, "special-file", "this is a socket, a pipe or a device, which is not opened; remove it"
        )
    limits = scope.policy.policy.limits
    try:
        with file.open() as stream:
            # The stream knows its size better than a listing from before.
            size = stream.seek(0, 2)
            blob = Blob(
                location=Location(path=file.path),
                stream=stream,
                size=size,
                head=read_at(stream, 0, min(HEAD, size)),
                name=file.name.lower(),
            )
            examined = examine(blob, router, limits)
            listed = bool(examined.format or examined.not_checked)
            digest = _sha256(blob) if listed and size <= limits.hash_bytes else None
    except OSError as error:
        return _gap(file, "unreadable", f"cannot be read: {error.strerror or error}; check its permissions")
    facts = examined.facts
    if not listed:
        return Observations(facts=facts)
    if examined.model:
        facts = (*facts, Fact(kind="core.format", location=Location(path=file.path), subject=examined.format))
    return Observations(
        facts=(*facts, *_external_links(scope, examined)),
        not_checked=examined.not_checked,
        inventory=(
            FileRecord(
                path=file.path,
                format=examined.format or "opaque",
                size=size,
                sha256=digest,
                status="not-checked" if examined.not_checked else "checked",
            ),
        ),
    )


def _link(scope: Scope, file: File) -> Observations:
    """A link is never followed; what it points to inside is looked at under its own name, or not at all."""
    place = end(scope.target, file.path, file.link or "")
    if place is not None:
        left = unseen(scope.target, _wanted(scope.policy.policy.models), file.path, place)
        if left is None:
            return Observations()
        message = (
            f"is a link to {left or 'the folder itself'}, which is not looked at here; name a folder that "
            "holds both, correct `include` or `exclude` in the policy, or exclude the link too"
        )
        return _gap(file, "link-target", message)
    fact = Fact(
        kind="repository.symlink",
        location=Location(path=file.path),
        subject=file.name,
        detail={"target": file.link},
    )
    return Observations(facts=(fact,))


def _external_links(scope: Scope, examined: Examined) -> Iterator[Fact]:
    """Yield the external data of a model that lies behind a link out of the target."""
    for fact in examined.facts:
        if fact.kind != "onnx.external" or fact.location.member is not None or fact.detail.get("escape"):
            continue
        folder = posixpath.dirname(fact.location.path)
        link = through(scope.target, posixpath.normpath(posixpath.join(folder, fact.subject)))
        if link is not None:
            yield Fact(
                kind="onnx.external-link", location=fact.location, subject=fact.subject, detail={"link": link}
            )


def _gap(file: File, reason: str, message: str) -> Observations:
    gap = NotChecked(check=Check.MODELS, reason=reason, location=Location(path=file.path), message=message)
    record = FileRecord(path=file.path, format="opaque", size=file.size, sha256=None, status="not-checked")
    return Observations(not_checked=(gap,), inventory=(record,))


def _sha256(blob: Blob) -> str:
    digest = hashlib.sha256()
    for chunk in chunks(blob.stream, 0, blob.size):
        digest.update(chunk)
    return digest.hexdigest()
