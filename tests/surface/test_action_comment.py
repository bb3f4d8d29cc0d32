"""The comment under a pull request: one, renewed, and never what decides."""

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.surface import composite
from tests.surface.checkout import EVIL, commit

INPUTS = {"checks": "models", "comment": "true"}
COMMIT = "0123456789abcdef0123456789abcdef01234567"
EVENT = {"pull_request": {"number": 7, "base": {"ref": "main"}, "head": {"sha": COMMIT}}}


class Service(ThreadingHTTPServer):
    """Stands for GitHub's comments on one issue."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.comments, self.asked, self.refuses = [], [], 0

    def add(self, body, kind="Bot"):
        self.comments.append({"id": len(self.comments) + 1, "user": {"type": kind}, "body": body})


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        query = parse_qs(urlsplit(self.path).query)
        size, page = int(query["per_page"][0]), int(query["page"][0])
        self.answer(self.server.comments[size * (page - 1) : size * page])

    def do_POST(self):
        self.server.add(self.sent()["body"])
        self.answer(self.server.comments[-1], 201)

    def do_PATCH(self):
        self.server.comments[int(self.path.rsplit("/", 1)[1]) - 1]["body"] = self.sent()["body"]
        self.answer({})

    def sent(self):
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def answer(self, value, code=200):
        self.server.asked.append((self.command, urlsplit(self.path).path, self.headers["Authorization"]))
        self.send_response(self.server.refuses or code)
        if self.server.refuses in (301, 307):
            self.send_header("Location", f"{self.path}&again")
        self.end_headers()
        with contextlib.suppress(BrokenPipeError):
            self.wfile.write(json.dumps(value).encode())

    def log_message(self, *_arguments):
        pass


@pytest.fixture
def service():
    server = Service()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def change(repository):
    commit(repository, "a change")
    return repository


def run(service, folder, temporary, inputs=INPUTS, event=EVENT, **more):
    environment = {
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_API_URL": f"http://127.0.0.1:{service.server_port}",
        "NO_PROXY": "127.0.0.1",
    }
    return composite.run(folder, temporary, inputs, environment, event=event, **more)


def test_nobody_asked_for_a_comment(service, change, temporary):
    assert run(service, change, temporary, {"checks": "models"}).exit_code == 0
    assert service.asked == []


def test_the_first_run_writes_it_and_the_next_renews_it(service, change, temporary):
    service.add("LGTM", "User")
    assert run(service, change, temporary).exit_code == 0
    assert len(service.comments) == 2
    assert "PASS" in service.comments[1]["body"]
    assert COMMIT in service.comments[1]["body"]
    (change / "evil.pkl").write_bytes(EVIL)
    commit(change, "a sin")
    assert run(service, change, temporary).exit_code == 1
    assert len(service.comments) == 2
    assert "FAIL" in service.comments[1]["body"]
    assert "evil.pkl" in service.comments[1]["body"]
    assert {token for _, _, token in service.asked} == {"Bearer token-of-the-job"}
    assert service.asked[-1][:2] == ("PATCH", "/repos/acme/models/issues/comments/2")


def test_what_people_wrote_is_never_replaced(service, change, temporary):
    run(service, change, temporary)
    mark = service.comments[0]["body"].splitlines()[0]
    service.comments.clear()
    service.add(f"{mark}\nmine", "User")
    run(service, change, temporary)
    assert service.comments[0]["body"] == f"{mark}\nmine"
    assert len(service.comments) == 2


def test_two_gates_of_one_repository_have_a_comment_each(service, change, temporary):
    run(service, change, temporary)
    run(service, change, temporary, {**INPUTS, "checks": "models,dependencies", "offline": "true"})
    assert len(service.comments) == 2


def test_it_is_found_behind_many_others(service, change, temporary):
    run(service, change, temporary)
    own = service.comments.pop()["body"]
    for number in range(230):
        service.add(f"comment {number}", "User")
    service.add(own.replace("PASS", "FAIL"))
    run(service, change, temporary)
    assert len(service.comments) == 231
    assert "PASS" in service.comments[230]["body"]


@pytest.mark.parametrize("code", [403, 404, 500, 301, 307])
def test_a_service_that_refuses_decides_nothing(service, change, temporary, code):
    service.refuses = code
    result = run(service, change, temporary)
    assert result.exit_code == 0
    assert result.codes["Comment on the pull request"] == 0
    (warning,) = result.annotations("warning")
    assert f"GitHub answered {code}" in warning
    assert ("pull-requests: write" in warning) == (code in (403, 404))
    assert len(service.asked) == 1


def test_a_service_that_is_away_decides_nothing(change, temporary):
    environment = {"GITHUB_EVENT_NAME": "pull_request"}
    result = composite.run(change, temporary, INPUTS, environment, event=EVENT)
    assert result.exit_code == 0
    assert "did not answer" in result.annotations("warning")[0]


def test_a_crashed_gate_leaves_no_old_praise(service, change, temporary):
    run(service, change, temporary)
    result = run(service, change, temporary, interpreter="kill -9 $$")
    assert result.exit_code == 2
    assert "no answer" in service.comments[0]["body"]


def test_a_wrong_input_is_told_in_the_comment(service, change, temporary):
    result = run(service, change, temporary, {**INPUTS, "scope": "@everyone `x`"})
    assert result.exit_code == 2
    (comment,) = service.comments
    assert "UNDECIDED" in comment["body"]
    assert "``" in comment["body"]


def test_it_fits(service, change, temporary):
    for number in range(400):
        (change / f"{'evil-' * 30}{number}.pkl").write_bytes(EVIL)
    commit(change, "many sins")
    assert run(service, change, temporary).exit_code == 1
    assert len(service.comments[0]["body"]) <= 65_536


def test_a_pull_request_without_a_number_has_no_comment(service, change, temporary):
    result = run(
        service, change, temporary, event={"pull_request": {"number": "7/../8", "base": {"ref": "main"}}}
    )
    assert result.exit_code == 0
    assert service.asked == []
    assert "no pull request" in result.annotations("warning")[0]
