import base64
import contextlib
import hashlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class Service:
    """An export on this machine, and what goes wrong with it."""

    def __init__(self):
        self.body = b""
        self.etag = '"one"'
        self.status = 200
        self.headers = {}
        self.length = None
        self.cut = None
        self.pause = 0.0
        self.drip = 0
        self.asked = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/PyPI/all.zip"

    def sign(self, kind="md5"):
        digest = base64.b64encode(hashlib.md5(self.body).digest()).decode()
        self.headers["x-goog-hash"] = f"{kind}={digest}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def _handler(service):  # noqa: N805 - the handler has a self of its own
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def do_GET(self):
                service.asked.append(dict(self.headers))
                # A client that has had enough hangs up.
                with contextlib.suppress(ConnectionError):
                    service.answer(self)

        return Handler

    def answer(self, request):
        request.close_connection = True
        if self.status == 200 and request.headers.get("If-None-Match") == self.etag:
            request.send_response(304)
            request.end_headers()
            return
        time.sleep(self.pause)
        request.send_response(self.status)
        for name, value in self.headers.items():
            request.send_header(name, value)
        if self.etag:
            request.send_header("ETag", self.etag)
        if self.length != "none":
            request.send_header("Content-Length", str(self.length or len(self.body)))
        request.end_headers()
        sent = self.body if self.cut is None else self.body[: self.cut]
        if not self.drip:
            request.wfile.write(sent)
            return
        for at in range(0, len(sent), self.drip):
            request.wfile.write(sent[at : at + self.drip])
            time.sleep(0.02)


@pytest.fixture
def service(monkeypatch):
    """OSV on this machine; ``MLGATE_OSV_URL`` points there."""
    found = Service()
    monkeypatch.setenv("MLGATE_OSV_URL", found.url)
    yield found
    found.close()


@pytest.fixture
def folder(tmp_path_factory, monkeypatch):
    """The cache folder of this test alone."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("XDG_CACHE_HOME", str(home))
    return home / "mlgate"
