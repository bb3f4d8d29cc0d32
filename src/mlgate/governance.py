"""Which policy governs a run, and where it is read: the target, the disk, a commit, or the defaults."""

import importlib
import os
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from mlgate import rules
from mlgate.core.facts import Check, Fact, Location, NotChecked, Observations, Source
from mlgate.core.limits import DEFAULT as LIMITS
from mlgate.git import Git, GitError
from mlgate.policy import load
from mlgate.policy.baseline import Baseline
from mlgate.policy.directions import Effect
from mlgate.policy.document import PolicyError
from mlgate.policy.load import PolicyFile, Read
from mlgate.policy.schema import Policy
from mlgate.target import Target, TargetError
from mlgate.target import named as named_target

_LINK, _TREE = "120000", "040000"


class Governing(Struct, frozen=True):
    """The policy of a run.

    Attributes:
        policy: What judges.
        seen: What is to be said of it: where it comes from, and what a change to it loosens.
    """

    policy: PolicyFile
    seen: Observations = Observations()


def governing(
    target: Target, root: Path, named: Path | None = None, *, ref: str | None = None, writing: bool = False
) -> Governing:
    """Return the policy of a run, with its baseline.

    Args:
        target: The files that the run looks at; the policy is read as they are (the index's
            blobs, where what is staged is looked at).
        root: The repository's root, or the folder that paths are relative to.
        named: A policy file; None takes ``.mlgate.yaml`` at the root, if there is one.
        ref: A git ref: the policy judges as it is there, and what it is here is compared
            with that.
        writing: True where the baseline is about to be written: then it need not be there.

    Raises:
        PolicyError: It, or its baseline, is missing or not valid.
        TargetError: The ref is none.
    """
    own = here(target, root, named, writing=writing)
    if ref is None:
        return Governing(own)
    path = inside(named, root) if named else load.NAME
    commit, judging = at_ref(root, ref, path)
    facts = tuple(_facts(judging, own, ref, path))
    return Governing(judging, Observations(facts=facts, sources=(_source(judging, ref, commit),)))


def own_advisories(policy: Policy, root: Path, ref: str) -> Iterator[NotChecked]:
    """Yield that a change brings its own advisories: it would choose what its dependencies are held against.

    Args:
        policy: Of the ref.
        root: The repository's root.
        ref: A git ref, which names a commit here.

    Raises:
        GitError: Git fails.
    """
    path = policy.dependencies.advisories.path
    git = Git.at(root.resolve())
    if isinstance(path, str) and git is not None and git.differs(git.commit(ref), path):
        message = (
            f"holds other advisories than at {ref}, whose policy judges, so that no change of dependencies "
            "is held against them; merge the advisories in a change of their own"
        )
        yield NotChecked(Check.DEPENDENCIES, "advisories-changed", Location(path), message)


def on_disk(root: Path, file: Path) -> PolicyFile:
    """Return the policy at ``file``, with its baseline, which lies below ``root``.

    Raises:
        PolicyError: It, or its baseline, is missing or not valid.
    """
    return _complete(load.from_disk(file, shown(file, root.resolve())), _reading(root))


def inside(path: Path, root: Path) -> str:
    """Return a path below the root as it is written: a link must not say which file a commit is asked for.

    Raises:
        TargetError: It lies outside the root, where no commit has it.
    """
    absolute = os.path.abspath(path)  # noqa: PTH100 - links are left as they are
    for base in (root.resolve(), os.path.abspath(root)):  # noqa: PTH100
        written = os.path.relpath(absolute, base)
        if written != os.pardir and not written.startswith(f"{os.pardir}{os.sep}"):
            return Path(written).as_posix()
    raise TargetError(f"the policy {path} lies outside the repository, where no commit has it")


def here(target: Target, root: Path, named: Path | None = None, *, writing: bool = False) -> PolicyFile:
    """Return the policy as the target has it, with its baseline.

    Raises:
        PolicyError: It, or its baseline, is missing or not valid.
    """
    # Named files may lie outside the repository, whose policy and baseline hold all the same.
    at_root = target.root == root.resolve()
    read = partial(_read, target) if at_root else _reading(root)
    return _complete(_policy(target, root, named), read, writing=writing)


def at_ref(root: Path, ref: str, path: str) -> tuple[str, PolicyFile]:
    """Return the commit that ``ref`` names, and the policy that it has at ``path``.

    Where it has none, the defaults are the policy there.

    Raises:
        PolicyError: It, or its baseline, is not valid there.
        TargetError: There is no such commit, or no checkout.
    """
    git = Git.at(root.resolve())
    if git is None:
        raise TargetError(f"the policy at {ref}: {root} is in no git checkout")
    try:
        commit = git.commit(ref)
    except GitError as error:
        raise TargetError(f"the policy at {ref}: {error}") from error

    def read(name: str) -> bytes | None:
        return _read_at(git, commit, name)

    try:
        loaded = load.DEFAULT if read(path) is None else load.load(path, read)
        return commit, _complete(loaded, read)
    except PolicyError as error:
        # The file of the same name that lies here may be in order.
        raise PolicyError(error.path, error.line, f"as it is at {ref}: {error.message}") from error


def shown(path: Path, root: Path) -> str:
    """Return a path as reports show it: relative to the root where it lies below it."""
    resolved = path.resolve()
    return resolved.relative_to(root).as_posix() if resolved.is_relative_to(root) else path.as_posix()


def _complete(loaded: PolicyFile, read: Read, *, writing: bool = False) -> PolicyFile:
    load.check_rules(loaded, (rule.id for rule in rules.load()))
    path = loaded.policy.baseline
    if writing and isinstance(path, str) and read(path) is None:
        return replace(loaded, baseline=Baseline((), path, sha256(b"").hexdigest()))
    return load.with_baseline(loaded, read)


def _facts(judging: PolicyFile, own: PolicyFile, ref: str, path: str) -> Iterator[Fact]:
    # Most runs compare nothing.
    compare = importlib.import_module("mlgate.policy.diff").compare
    for change in compare(judging, own):
        if change.effect in (Effect.LOOSENED, Effect.CHANGED):
            yield Fact(
                kind="policy.changed",
                location=Location(own.path or path, line=change.line),
                subject=change.key,
                detail={"effect": change.effect.value, "words": change.words, "ref": ref},
            )


def _source(judging: PolicyFile, ref: str, commit: str) -> Source:
    what = judging.path or "no policy there, so mlgate's defaults judge; one counts once it is merged"
    detail = {"ref": ref, "commit": commit, "sha256": judging.sha256}
    where = commit[:12] if ref == commit else f"{ref} ({commit[:12]})"
    return Source(Check.POLICY, "policy", f"as it is at {where}: {what}", detail)


def _policy(target: Target, root: Path, named: Path | None) -> PolicyFile:
    own = root / load.NAME
    if named is not None:
        return load.from_disk(named, shown(named, target.root))
    if target.root == root.resolve() and target.find(load.NAME) is not None:
        return load.load(load.NAME, lambda path: _read(target, path))
    if own.is_file():
        # Not part of the target: paths outside the root, or a policy not yet staged.
        return load.from_disk(own, shown(own, target.root))
    return load.DEFAULT


def _reading(root: Path) -> Read:
    """Return what reads the files below a root, as ever: no link, no pipe, nothing outside."""
    return partial(_read, named_target((), root))


def _read(target: Target, path: str) -> bytes | None:
    file = target.find(path)
    if file is None:
        return None
    try:
        with file.open() as stream:
            return stream.read(LIMITS.manifest_bytes + 1)
    except OSError as error:
        raise PolicyError(path, None, f"cannot be read: {error.strerror or error}") from error


def _read_at(git: Git, commit: str, path: str) -> bytes | None:
    try:
        entry = git.entry_at(commit, path)
        if entry is None or entry.mode == _TREE:
            return None
        if entry.mode == _LINK:
            raise PolicyError(path, None, "is a symbolic link, which is not followed")
        if git.size(entry.object) > LIMITS.manifest_bytes:
            raise PolicyError(path, None, f"is larger than {LIMITS.manifest_bytes} bytes")
        with git.blob(entry.object) as stream:
            return stream.read()
    except GitError as error:
        raise PolicyError(path, None, f"cannot be read: {error}") from error
