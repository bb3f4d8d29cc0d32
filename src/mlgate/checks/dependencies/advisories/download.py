"""Fetch one file over HTTPS: whole, unchanged, within a size and a time, or not at all."""

import os
import time
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import urlsplit

from msgspec import Struct

from mlgate import __version__
from mlgate.checks.dependencies.advisories.checksums import ChecksumError, verify

if TYPE_CHECKING:
    import http.client
    import urllib.request

_LOOPBACK = frozenset({"127.0.0.1", "localhost"})
_CHUNK = 64 << 10


class UnavailableError(Exception):
    """The service did not give what was asked for."""


class Patience(Struct, frozen=True):
    """How long and how much a download may take.

    Attributes:
        idle: Seconds without a byte.
        total: Seconds in all.
        size: Bytes.
    """

    idle: float = 30.0
    total: float = 600.0
    size: int = 512 << 20


class Answer(Struct, frozen=True):
    """What the service said of the file.

    Attributes:
        changed: False where the file is still the one with the ETag that was sent along.
        etag: Its ETag, or "".
        modified: Its ``Last-Modified``, or "".
    """

    changed: bool = True
    etag: str = ""
    modified: str = ""


def check_address(url: str) -> None:
    """Accept ``https``, and ``http`` to this machine alone.

    Raises:
        UnavailableError: The address is another one.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError as error:
        raise UnavailableError("the address cannot be read") from error
    printable = url.isascii() and url.isprintable() and " " not in url
    local = parts.scheme == "http" and host in _LOOPBACK
    if not printable or not host or not (parts.scheme == "https" or local):
        raise UnavailableError("the address is not an https address")


def host_of(url: str) -> str:
    """Return the host of an address, for messages."""
    try:
        return urlsplit(url).hostname or "?"
    except ValueError:
        return "?"


def _opener(url: str) -> "urllib.request.OpenerDirector":
    import urllib.request  # noqa: PLC0415 - start-up time

    class SameHost(urllib.request.HTTPRedirectHandler):
        """Follow a redirect within the same origin, and no other."""

        def redirect_request(  # noqa: PLR0917 - urllib's signature
            self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
        ) -> urllib.request.Request | None:
            old, new = urlsplit(req.full_url), urlsplit(newurl)
            if (old.scheme, old.netloc) != (new.scheme, new.netloc):
                raise UnavailableError("it redirects to another host")
            return super().redirect_request(req, fp, code, msg, headers, newurl)

    local = [urllib.request.ProxyHandler({})] if url.startswith("http:") else []
    return urllib.request.build_opener(SameHost(), *local)


def download(url: str, to: BinaryIO, etag: str = "", patience: Patience | None = None) -> Answer:
    """Fetch a file into ``to``; what is there afterwards is whole only if nothing is raised.

    Args:
        url: Its address, see :func:`check_address`.
        to: An empty file.
        etag: ETag of the version that is held already, or "".
        patience: The limits.

    Raises:
        UnavailableError: Anything but the whole file, or the news that it is unchanged.
    """
    import http.client  # noqa: PLC0415 - start-up time
    import urllib.error  # noqa: PLC0415 - start-up time
    import urllib.request  # noqa: PLC0415 - start-up time

    limits = patience or Patience()
    check_address(url)
    request = urllib.request.Request(url, headers={"User-Agent": f"mlgate/{__version__}"})  # noqa: S310 - checked above
    if etag:
        request.add_header("If-None-Match", etag)
    started = time.monotonic()
    try:
        with _opener(url).open(request, timeout=limits.idle) as response:
            _receive(response, to, limits, started)
            verify(to, response.headers.get_all("x-goog-hash") or ())
            return Answer(
                etag=_word(response.headers["ETag"]), modified=_word(response.headers["Last-Modified"])
            )
    except urllib.error.HTTPError as error:
        with error:
            if error.code == http.client.NOT_MODIFIED and etag:
                return Answer(changed=False, etag=etag)
            raise UnavailableError(f"it answered {error.code}") from error
    except (ChecksumError, ValueError) as error:
        raise UnavailableError(f"what it sent is damaged: {error}") from error
    except TimeoutError as error:
        raise UnavailableError("it did not answer in time") from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        late = isinstance(reason, TimeoutError)
        raise UnavailableError("it did not answer in time" if late else f"{_short(reason)}") from error


def _receive(response: "http.client.HTTPResponse", to: BinaryIO, limits: Patience, started: float) -> None:
    if response.status != 200:
        raise UnavailableError(f"it answered {response.status}")
    if (response.headers["Content-Encoding"] or "identity").lower() != "identity":
        raise UnavailableError("it sent the file in an encoding that was not asked for")
    said = response.headers["Content-Length"]
    expected = int(said) if said is not None and said.isascii() and said.isdigit() else None
    if expected is not None and expected > limits.size:
        raise UnavailableError(f"the file is larger than {limits.size >> 20} MiB")
    received = 0
    # One receipt at a time: a server that drips is noticed.
    while data := response.read1(_CHUNK):
        received += len(data)
        if received > limits.size:
            raise UnavailableError(f"the file is larger than {limits.size >> 20} MiB")
        if time.monotonic() - started > limits.total:
            raise UnavailableError(f"it took longer than {limits.total:g} seconds")
        to.write(data)
    to.flush()
    if expected is not None and received != expected:
        raise UnavailableError(f"the file is truncated: {received} bytes of {expected}")


def _word(header: str | None) -> str:
    text = header or ""
    return text if len(text) <= 200 and text.isascii() and text.isprintable() else ""


def _short(error: object) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return f"{type(error).__name__}: {error}"[:200]
