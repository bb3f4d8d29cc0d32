"""What mlgate asks of git: names and blobs, through its command line."""

import contextlib
import io
import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

# A repository's own configuration can name programs to run; none of these may. Nor may a
# reference say that one object stands for another (gitreplace).
_QUIET = (
    "--no-replace-objects",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.quotePath=false",
)
_NO_MONITOR = ("-c", "core.fsmonitor=false")
_TIMEOUT = 120
# A pointer as Git LFS writes it; extensions are left to be "not checked".
_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\noid sha256:([0-9a-f]{64})\nsize (\d{1,15})\n?"
)
POINTER_BYTES = 1024
# A renamed file counts as deleted and added; paths are relative to the root. A .gitmodules can
# hide that its submodules moved (`ignore`), and is part of what is judged.
_CHANGES = (
    "diff",
    "-z",
    "--name-status",
    "--no-renames",
    "--relative",
    "--ignore-submodules=dirty",
)
# What follows the name in `main~2`, `main@{1}` or `main^{commit}`.
_SUFFIX = re.compile(r"[~^]|@\{")
# Blobs up to this size are kept in memory.
_SPOOL = 16 << 20


class GitError(Exception):
    """Git refused, failed, or is not installed."""


class IndexEntry(Struct, frozen=True):
    """One entry of the index: its mode (octal text) and object id."""

    mode: str
    object: str


class Git:
    """A git checkout, seen from the folder that a run calls its root."""

    def __init__(self, root: Path) -> None:
        self._root = root
        # Blobs, each with the state of a file whose bytes were found to be the same.
        self._twins: dict[str, tuple[int, ...]] = {}

    @classmethod
    def at(cls, root: Path) -> "Git | None":
        """Return the checkout that ``root`` lies in, or None where it lies in none."""
        if not any((folder / ".git").exists() for folder in (root, *root.parents)):
            return None
        git = cls(root)
        # A checkout that git itself refuses must not look like a plain folder.
        git._run("rev-parse", "--git-dir")
        return git

    def files(self) -> tuple[list[str], list[str]]:
        """Paths, relative to the root, of what is tracked, or untracked and not ignored.

        Returns:
            All of them, and those that a sparse checkout leaves out of the working tree.
        """
        tagged = self._names("ls-files", "-z", "-t", "--cached", "--others", "--exclude-standard")
        return [name[2:] for name in tagged], [name[2:] for name in tagged if name.startswith("S ")]

    def changed_since(self, ref: str) -> tuple[list[str], list[str]]:
        """Paths that differ between the working tree and the merge base with ``ref``, and deleted ones."""
        base = self._run("merge-base", self.commit(ref), "HEAD").decode().strip()
        tracked, deleted = self._changes(base)
        untracked = self._names("ls-files", "-z", "--others", "--exclude-standard")
        return sorted({*tracked, *untracked}), deleted

    def staged(self) -> tuple[list[str], list[str]]:
        """Paths that the next commit would add or change, and those that it would delete."""
        return self._changes("--cached")

    def index(self) -> dict[str, IndexEntry]:
        """Every entry of the index below the root, by path."""
        entries = {}
        for record in self._names("ls-files", "-z", "--stage"):
            head, _, path = record.partition("\t")
            mode, identifier, _stage = head.split(" ")
            entries[path] = IndexEntry(mode, identifier)
        return entries

    def commit(self, ref: str) -> str:
        """Id of the commit that a branch, tag or other name stands for.

        Raises:
            GitError: It stands for none in this checkout, or for more than one.
        """
        if "\0" in ref:
            raise GitError("a name holds no zero byte")
        self._refuse_ambiguous(ref)
        try:
            found = self._run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        except GitError as error:
            raise GitError(
                "git knows no such commit here; fetch it (git fetch origin), or correct the name"
            ) from error
        return found.decode().strip()

    def _refuse_ambiguous(self, ref: str) -> None:
        """Refuse a name of several: of a tag and a branch git takes the tag, which anyone may push."""
        name = _SUFFIX.split(ref, maxsplit=1)[0]
        places = {f"refs/{kind}{name}" for kind in ("", "tags/", "heads/", "remotes/")}
        # An annotated tag has two ids, and the second one is the commit's.
        form = "--format=%(objectname) %(*objectname) %(refname)"
        lines = os.fsdecode(self._run("for-each-ref", form, *places)).splitlines()
        found = {words[-1]: words[-2] for words in map(str.split, lines) if words[-1] in places}
        if len(set(found.values())) > 1:
            raise GitError(
                f"the name stands for {' and for '.join(sorted(found))}; write the one that is meant"
            )

    def entry_at(self, commit: str, path: str) -> IndexEntry | None:
        """The entry of a commit at a path below the root, or None where there is none."""
        listed = self._run("ls-tree", "-z", commit, "--", f"./{path}")
        if not listed:
            return None
        mode, _kind, identifier = listed.partition(b"\t")[0].decode().split(" ")
        return IndexEntry(mode, identifier)

    def differs(self, commit: str, path: str) -> bool:
        """Say whether a file or folder is tracked otherwise than in the merge base with a commit.

        Where a shallow clone knows of no merge base, it is the commit itself.
        """
        with contextlib.suppress(GitError):
            commit = self._run("merge-base", commit, "HEAD").decode().strip()
        return any(self._changes(commit, "--", f":(literal){path}"))

    def hooks_folder(self) -> tuple[Path, tuple[Path, Path]]:
        """Where git looks for hooks; and the repository's store and its working tree."""
        # The one question whose answer is the setting that is set aside elsewhere.
        options = ("rev-parse", "--path-format=absolute")
        folder = self._run(*options, "--git-path", "hooks", quiet=_NO_MONITOR)
        store = self._run(*options, "--git-common-dir")
        tree = self._run(*options, "--show-toplevel")
        found = [Path(os.fsdecode(path.rstrip(b"\n"))).resolve() for path in (folder, store, tree)]
        return found[0], (found[1], found[2])

    def size(self, identifier: str) -> int:
        """Size of a blob in bytes."""
        return int(self._run("cat-file", "-s", identifier))

    def sizes(self, identifiers: Iterable[str]) -> dict[str, int]:
        """Sizes in bytes of so many blobs, asked for at once; of what is no blob, nothing."""
        asked = "".join(f"{identifier}\n" for identifier in identifiers)
        answers = self._run("cat-file", "--batch-check", given=asked.encode()).decode().splitlines()
        found = [answer.split(" ") for answer in answers]
        return {words[0]: int(words[2]) for words in found if len(words) == 3 and words[1] == "blob"}

    def blob(self, identifier: str, twin: Path | None = None) -> BinaryIO:
        """Content of a blob as a seekable stream; large ones lie in a temporary file.

        Args:
            identifier: Its object id.
            twin: A file that probably has the same bytes, such as the one that was staged. Where it
                has them, it is read, and nothing is unpacked.
        """
        stream = self._same(twin, identifier) if twin is not None else None
        if stream is not None:
            return stream
        if self.size(identifier) <= _SPOOL:
            return io.BytesIO(self._run("cat-file", "blob", identifier))
        import tempfile  # noqa: PLC0415 - only large blobs need it

        stream = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
        self._run("cat-file", "blob", identifier, into=stream)
        stream.seek(0)
        return stream

    def _same(self, path: Path, identifier: str) -> BinaryIO | None:
        """Open a file whose bytes are the blob's; None where they are not.

        An object id is the digest of ``blob``, the size and the bytes (Pro Git, "Git Objects").
        """
        import hashlib  # noqa: PLC0415 - a scan of named files does not ask git

        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return None
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            os.close(descriptor)
            return None
        stream = io.open(descriptor, "rb")  # noqa: UP020, SIM115 - a descriptor; the caller closes it
        state = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        if self._twins.get(identifier) == state:
            return stream
        algorithm = "sha1" if len(identifier) == 40 else "sha256"
        digest = hashlib.new(algorithm, b"blob %d\0" % status.st_size, usedforsecurity=False)
        while data := stream.read(1 << 20):
            digest.update(data)
        if digest.hexdigest() != identifier:
            stream.close()
            return None
        self._twins[identifier] = state
        stream.seek(0)
        return stream

    def fetched(self, pointer: bytes) -> Path | None:
        """Where Git LFS keeps the content that a pointer stands for; None where it is not here.

        The store names files by their SHA-256 (Git LFS specification, "The Server" and
        "Pointers"); a file of another size than the pointer's is not the content.
        """
        found = _POINTER.fullmatch(pointer)
        if found is None:
            return None
        name, size = found[1].decode(), int(found[2])
        common = Path(os.fsdecode(self._run("rev-parse", "--git-common-dir").rstrip(b"\n")))
        path = self._root / common / "lfs" / "objects" / name[:2] / name[2:4] / name
        try:
            return path if path.lstat().st_size == size else None
        except OSError:
            return None

    def _changes(self, *arguments: str) -> tuple[list[str], list[str]]:
        words = self._names(*_CHANGES, *arguments)
        changes = dict(zip(words[1::2], words[::2], strict=True))
        deleted = [path for path, kind in changes.items() if kind == "D"]
        return [path for path, kind in changes.items() if kind != "D"], deleted

    def _names(self, *arguments: str) -> list[str]:
        return [os.fsdecode(name) for name in self._run(*arguments).split(b"\0") if name]

    def _run(
        self,
        *arguments: str,
        into: BinaryIO | None = None,
        given: bytes = b"",
        quiet: tuple[str, ...] = _QUIET,
    ) -> bytes:
        import subprocess  # noqa: PLC0415 - a scan of named files does not ask git

        try:
            result = subprocess.run(  # noqa: S603 - a list, no shell
                ["git", *quiet, *arguments],  # noqa: S607 - git is found on PATH, as everywhere
                cwd=self._root,
                input=given,
                stdout=into if into is not None else subprocess.PIPE,
                stderr=subprocess.PIPE,
                timeout=_TIMEOUT,
                check=False,
            )
        except FileNotFoundError as error:
            raise GitError("git is not installed") from error
        except subprocess.TimeoutExpired as error:
            raise GitError(f"git {arguments[0]} took longer than {_TIMEOUT} s") from error
        if result.returncode:
            text = result.stderr.decode("utf-8", "replace").strip().splitlines()
            raise GitError(
                text[0] if text else f"git {arguments[0]} failed with exit code {result.returncode}"
            )
        return result.stdout or b""
