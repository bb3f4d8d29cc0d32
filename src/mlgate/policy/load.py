"""Read a policy file, with all that it extends, into typed values."""

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from msgspec import UNSET, Struct
from msgspec.structs import replace

from mlgate.core.limits import DEFAULT as LIMITS
from mlgate.policy.baseline import Baseline
from mlgate.policy.baseline import parse as parse_baseline
from mlgate.policy.convert import convert, nearest
from mlgate.policy.document import Document, PolicyError, parse
from mlgate.policy.schema import Policy
from mlgate.policy.sense import settle

NAME = ".mlgate.yaml"
_CHAIN = 5

# Returns the bytes of a file by its path from the policy's base, or None where there is none.
Read = Callable[[str], bytes | None]


class PolicyFile(Struct, frozen=True):
    """A policy, and where its keys stand in its file.

    Attributes:
        policy: The values.
        path: Of the file, relative to the target's root; None for the defaults.
        sha256: Digest of the file and of all that it extends.
        lines: 1-based line by key path: ``assessment[0].robustness.min_accuracy``.
        baseline: The baseline that it names, once that is read.
        parts: Paths of the file and of all that it extends.
    """

    policy: Policy
    path: str | None = None
    sha256: str | None = None
    lines: Mapping[str, int] = {}
    baseline: Baseline | None = None
    parts: tuple[str, ...] = ()

    def line(self, key: str) -> int | None:
        """Line of a key, or of the nearest key above it that the file holds.

        None for a waiver of a policy that the file extends: it stands elsewhere.
        """
        if key.startswith("waivers[") and f"{key.partition(']')[0]}]" not in self.lines:
            return None
        while key:
            if key in self.lines:
                return self.lines[key]
            key = key[: max(key.rfind("."), key.rfind("["), 0)]
        return None


DEFAULT = PolicyFile(policy=Policy(version=1))


def from_disk(path: Path, shown: str) -> PolicyFile:
    """Load the policy at ``path``, wherever it lies; ``shown`` names it in reports.

    Raises:
        PolicyError: It cannot be read or is not a valid policy.
    """
    folder = path.parent

    def read(name: str) -> bytes | None:
        try:
            # The policy itself is the user's choice; what it extends is not.
            if name != path.name and (folder / name).is_symlink():
                raise PolicyError(shown, None, f"extends: {name} is a symbolic link, which is not followed")
            with (folder / name).open("rb") as stream:
                return stream.read(LIMITS.manifest_bytes + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise PolicyError(shown, None, f"cannot be read: {error.strerror or error}") from error

    return load(path.name, read, shown=shown)


def load(path: str, read: Read, *, shown: str | None = None) -> PolicyFile:
    """Load the policy at ``path`` through ``read``.

    Keys of the policy hold over those of the one that it extends; mappings are merged,
    waivers are joined, any other value is replaced.

    Raises:
        PolicyError: It is missing, extends itself, or is not a valid policy.
    """
    shown = shown or path
    chain = _chain(path, read, shown)
    digest = hashlib.sha256()
    merged: dict[str, Any] = {}
    origins: dict[str, tuple[str, int]] = {}
    for named, raw, document in reversed(chain):
        digest.update(b"%d:" % len(raw) + raw)
        inherited = merged.get("waivers", [])
        own = document.data.get("waivers", [])
        merged = _merge(merged, document.data)
        if isinstance(own, list) and isinstance(inherited, list) and (own or inherited):
            # The file's own waivers come first, so that their lines stay right.
            merged["waivers"] = [*own, *inherited]
            origins = {_behind(key, len(own)): place for key, place in origins.items()}
        origins |= {key: (named, line) for key, line in document.lines.items()}

    def fail(key: str, problem: str) -> PolicyError:
        path, line = _origin(key, origins, shown)
        return PolicyError(path, line, f"{key}: {problem}" if key else problem)

    policy = settle(convert(merged, fail), fail)
    parts = tuple(named for named, _, _ in chain)
    return PolicyFile(policy, shown, digest.hexdigest(), chain[0][2].lines, parts=parts)


def with_baseline(loaded: PolicyFile, read: Read) -> PolicyFile:
    """Return the policy with the baseline that it names, read from the repository's root.

    Raises:
        PolicyError: It names one that is not there, or is not a baseline.
    """
    path = loaded.policy.baseline
    if not isinstance(path, str):
        return loaded
    raw = read(path)
    if raw is None:
        message = (
            f"baseline: there is no file {path} in what is looked at; write it with `mlgate baseline`, "
            "`git add` it, or remove the key"
        )
        raise PolicyError(loaded.path or NAME, loaded.line("baseline"), message)
    return replace(loaded, baseline=parse_baseline(raw, path))


def check_rules(loaded: PolicyFile, known: Iterable[str]) -> None:
    """Refuse a waiver for a rule that does not exist: it would never match.

    Raises:
        PolicyError: With the nearest rule ids.
    """
    ids = set(known)
    for index, waiver in enumerate(loaded.policy.waivers):
        if waiver.rule is not UNSET and waiver.rule not in ids:
            raise PolicyError(
                loaded.path or NAME,
                loaded.line(f"waivers[{index}].rule"),
                f"waivers[{index}].rule: there is no rule {waiver.rule}{nearest(str(waiver.rule), ids)}",
            )


def _chain(path: str, read: Read, shown: str) -> list[tuple[str, bytes, Document]]:
    chain: list[tuple[str, bytes, Document]] = []
    seen: set[str] = set()
    current, named = path, shown
    origin: tuple[str, int | None] = (shown, None)
    while True:
        if current in seen:
            raise PolicyError(*origin, f"extends: {named} is already part of this policy")
        if len(chain) == _CHAIN:
            raise PolicyError(*origin, f"extends: more than {_CHAIN} policies in a row")
        seen.add(current)
        raw = read(current)
        if raw is None:
            wording = f"extends: there is no file {named}" if chain else "there is no such policy file"
            raise PolicyError(*origin, wording)
        document = parse(_text(raw, named), named)
        chain.append((named, raw, document))
        base = document.data.get("extends")
        if not isinstance(base, str) or not base:
            return chain  # a wrong type is reported with the other keys
        origin = (named, document.lines["extends"])
        if "://" in base or base.startswith("/") or "\0" in base:
            raise PolicyError(*origin, f"extends: {base!r} is not a path from this policy's folder")
        current = os.path.normpath(PurePosixPath(current).parent / base)
        named = os.path.normpath(PurePosixPath(named).parent / base)
        if named.startswith("../"):
            raise PolicyError(*origin, f"extends: {base} leaves the repository")


def _text(raw: bytes, named: str) -> str:
    if len(raw) > LIMITS.manifest_bytes:
        raise PolicyError(named, None, f"is larger than {LIMITS.manifest_bytes} bytes")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise PolicyError(named, line, "is not UTF-8 text") from error


def _merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        both = isinstance(under, dict) and isinstance(value, dict)
        merged[key] = _merge(under, value) if both else value  # type: ignore[arg-type]
    return merged


def _behind(key: str, count: int) -> str:
    """Return the key of an inherited waiver once ``count`` others stand before it."""
    return re.sub(r"^waivers\[(\d+)\]", lambda found: f"waivers[{int(found[1]) + count}]", key)


def _origin(key: str, origins: Mapping[str, tuple[str, int]], shown: str) -> tuple[str, int]:
    """Return file and line of a key, or of the nearest key above it."""
    while key:
        if key in origins:
            return origins[key]
        key = key[: max(key.rfind("."), key.rfind("["), 0)]
    return shown, 1
