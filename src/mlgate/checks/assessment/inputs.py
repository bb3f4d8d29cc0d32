"""The files of an assessment, each read once: the bytes that are hashed are the bytes that are used."""

import hashlib

from msgspec import Struct

from mlgate.checks.assessment.problems import Unassessable
from mlgate.target import Target

_LFS = b"version https://git-lfs.github.com/spec/"


class Content(Struct, frozen=True):
    """One file's bytes.

    Attributes:
        path: As the target names it.
        data: The whole file.
        sha256: Hex digest of ``data``.
    """

    path: str
    data: bytes
    sha256: str


def read(target: Target, path: str, most: int, limit: str, key: str) -> Content:
    """Read a whole file.

    Args:
        target: Where the file is.
        path: As the policy names it.
        most: Bytes that it may have.
        limit: What sets that limit, for the message.
        key: The policy key that names the file.

    Raises:
        Unassessable: It is missing, no regular file, unreadable, empty, too large, or
            stands in for content that was not fetched.
    """
    file = target.find(path)
    if file is None:
        raise Unassessable("missing-file", f"{path} does not exist in the repository", key)
    if file.kind != "file":
        raise Unassessable(
            "not-a-file",
            f"{path} is {'a link' if file.kind == 'link' else 'a socket, a pipe or a device'}, not a regular "
            "file; it is not followed",
            key,
        )
    try:
        with file.open() as stream:
            # All that is asked for is set aside at once: no more than there should be.
            data = stream.read(min(most, file.size) + 1)
    except OSError as error:
        raise Unassessable("unreadable", f"{path} cannot be read: {error.strerror or error}", key) from error
    if len(data) > most:
        raise Unassessable("limit", f"{path} is larger than the {most} bytes that {limit} allows", key)
    if len(data) > file.size:
        raise Unassessable("changed", f"{path} grew while it was read; run again", key)
    if not data:
        raise Unassessable("empty", f"{path} is empty", key)
    if data.startswith(_LFS):
        raise Unassessable("lfs-pointer", f"{path} is a Git LFS pointer; fetch it with `git lfs pull`", key)
    return Content(file.path, data, hashlib.sha256(data).hexdigest())
