"""safety's real command line against a service of our own, and its reports one by one."""

import http.server
import json
import os
import subprocess
import sys
import threading
from importlib.util import find_spec

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.version import Version

from mlgate.checks.dependencies.auditor import Pin
from mlgate.checks.dependencies.auditors import safety
from mlgate.checks.dependencies.auditors._command import FailedError
from mlgate.core.severity import Severity

real = pytest.mark.skipif(find_spec("safety") is None, reason="safety is not installed")

KEY = "not-a-real-key"
PINS = {"torch": Version("1.0"), "numpy": Version("2.0")}
TORCH, NUMPY = Pin("torch", "1.0"), Pin("numpy", "2.0")

SCORE = {
    "base_score": 9.8,
    "impact_score": 5.9,
    "base_severity": "CRITICAL",
    "vector_string": "CVSS:3.1/AV:N",
}
META = {"schema_version": "2.0.0", "base_domain": "https://data.example"}
BRIEF = {"meta": META, "vulnerable_packages": {"torch": ["<1.2"]}}
FULL = {
    "meta": {
        **META,
        "severities": {"CVE-1": {"cvssv2": None, "cvssv3": SCORE}},
        "packages": {
            "torch": {
                "insecure_versions": ["1.0", "1.1"],
                "secure_versions": ["0.9", "1.3", "1.2", "2.0rc1"],
                "latest_version": "1.3",
            }
        },
    },
    "vulnerable_packages": {
        "torch": [
            {
                "specs": ["<1.2"],
                "advisory": "text",
                "ids": [{"type": "pyup", "id": "36546"}, {"type": "cve", "id": "CVE-1"}],
                "fixed_versions": ["1.2"],
                "affected_versions": ["1.0"],
            }
        ]
    },
}


@pytest.fixture
def service():
    """Start a service with the part of the vendor's interface that `safety check` uses."""

    class Service(http.server.ThreadingHTTPServer):
        def __init__(self):
            super().__init__(("127.0.0.1", 0), Handler)
            self.url = f"http://127.0.0.1:{self.server_port}"
            self.status, self.asked = 200, []
            self.replies = {
                "openid": {"issuer": "x", "jwks_uri": f"{self.url}/jwks", "token_endpoint": f"{self.url}/t"},
                "jwks": {"keys": []},
                "insecure.json": BRIEF,
                "insecure_full.json": FULL,
            }

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.server.asked.append((self.path, sent, self.headers.get("X-Api-Key")))
            reply = next((each for word, each in self.server.replies.items() if word in self.path), {})
            body = json.dumps(reply).encode()
            self.send_response(self.server.status if "insecure" in self.path else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_POST = do_HEAD = do_GET

        def log_message(self, *_):
            pass

    with Service() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def ask(scope_of, service):
    """Run the installed safety against the service."""

    def run(*pins, url=None):
        environ = {"PATH": os.environ["PATH"], "SAFETY_API_KEY": KEY} | dict.fromkeys(
            (
                "SAFETY_AUTH_SERVER_URL",
                "SAFETY_DATA_API_BASE_URL",
                "SAFETY_PLATFORM_API_BASE_URL",
                "SAFETY_PLATFORM_URL",
            ),
            url or service.url,
        )
        environ["SAFETY_DATA_API_BASE_URL"] += "/"
        return safety.audit(pins, scope_of({}, offline=False), environ=environ, seconds=60.0)

    return run


@pytest.fixture
def fake(scope_of, tmp_path):
    """Run a program that leaves a report and an exit status as safety does."""

    def run(report, code=0, errors="", pins=(TORCH, NUMPY), key=KEY):
        program = tmp_path / "fake.py"
        content = report if isinstance(report, str) or report is None else json.dumps(report)
        program.write_text(
            f"import os, sys\n"
            f"assert os.environ['SAFETY_API_KEY'] == {KEY!r}\n"
            f"assert {KEY!r} not in sys.argv\n"
            f"print('+====+ DEPRECATED +====+')\n"
            f"content = {content!r}\n"
            f"if content is not None:\n"
            f"    open(sys.argv[sys.argv.index('--save-json') + 1], 'w').write(content)\n"
            f"sys.stderr.write({errors!r})\n"
            f"sys.exit({code})\n"
        )
        environ = {"SAFETY_API_KEY": key} if key is not None else {}
        command = (sys.executable, str(program))
        return safety.audit(
            list(pins), scope_of({}, offline=False), environ=environ, seconds=30.0, command=command
        )

    return run


def scanned(**versions):
    return {
        name: {"name": name, "version": version, "requirements": []} for name, version in versions.items()
    }


def vulnerability(**more):
    return {
        "vulnerability_id": "1",
        "package_name": "torch",
        "analyzed_version": "1.0",
        "fixed_versions": [],
        "CVE": None,
        "severity": None,
        **more,
    }


def report(*vulnerabilities, **more):
    return {
        "scanned_packages": scanned(torch="1.0", numpy="2.0"),
        "affected_packages": {},
        "vulnerabilities": list(vulnerabilities),
        "ignored_vulnerabilities": [],
        **more,
    }


def reasons(audit):
    return [gap.reason for gap in audit.not_checked]


@real
def test_vulnerable_and_clean_are_told_apart(ask):
    audit = ask(TORCH, NUMPY)
    (advisory,) = audit.answers[TORCH].advisories
    assert (advisory.id, advisory.aliases, advisory.fixed) == ("CVE-1", ("SAFETY-36546",), "1.2")
    assert (advisory.cvss, advisory.severity) == (9.8, Severity.CRITICAL)
    assert audit.answers[TORCH].upgrade == "1.2"
    assert (audit.answers[NUMPY].advisories, audit.answers[NUMPY].unknown) == ((), None)
    assert audit.not_checked == ()


@real
def test_what_is_required_is_not_sent_to_the_vendor(ask, service):
    ask(Pin("our-secret-project", "1.0"))
    assert not [asked for asked in service.asked if "our-secret" in str(asked)]
    assert KEY in {key for _, _, key in service.asked}


@real
def test_a_key_that_is_refused_is_not_checked(ask, service):
    service.status = 403
    audit = ask(TORCH)
    assert (audit.answers, reasons(audit)) == ({}, ["auditor-key"])
    assert KEY not in audit.not_checked[0].message


@real
def test_a_database_of_another_form_is_not_checked(ask, service):
    service.replies["insecure.json"] = {"error": "no such thing"}
    assert reasons(ask(TORCH)) == ["auditor-service"]


@real
def test_a_service_that_is_not_there_is_not_checked(ask):
    audit = ask(TORCH, url="http://127.0.0.1:1")
    assert (audit.answers, reasons(audit)) == ({}, ["auditor-unreachable"])


@pytest.mark.parametrize("key", [None, ""])
def test_without_a_key_it_is_not_run(fake, key):
    audit = fake("{", code=1, key=key)
    (gap,) = audit.not_checked
    assert (audit.answers, gap.reason) == ({}, "auditor-key")
    assert "needs a key: set SAFETY_API_KEY" in gap.message


def test_offline_it_is_not_run(scope_of, tmp_path):
    marker = tmp_path / "marker"
    command = (sys.executable, "-c", f"open({str(marker)!r}, 'w')")
    environ = {"SAFETY_API_KEY": KEY}
    audit = safety.audit([TORCH], scope_of({}, offline=True), environ=environ, command=command)
    assert (audit.answers, reasons(audit)) == ({}, ["auditor-offline"])
    assert not marker.exists()


def test_without_safety_it_says_what_to_install(scope_of):
    command = (sys.executable, "-c", "raise SystemExit('python: No module named safety')")
    (gap,) = safety.audit(
        [TORCH], scope_of({}, offline=False), environ={"SAFETY_API_KEY": KEY}, command=command
    ).not_checked
    assert gap.reason == "auditor-missing"
    assert "pip install 'mlgate[safety]'" in gap.message


def test_nothing_to_ask_needs_no_safety(scope_of):
    assert safety.audit([], scope_of({}, offline=False), environ={}).not_checked == ()


def test_the_report_is_read_beside_its_notices(fake):
    audit = fake(report(vulnerability(fixed_versions=["1.5", "0.9"])), code=64)
    (advisory,) = audit.answers[TORCH].advisories
    assert (advisory.id, advisory.aliases, advisory.fixed) == ("SAFETY-1", (), "1.5")
    assert (advisory.cvss, advisory.severity) == (None, None)
    assert audit.answers[NUMPY].advisories == ()


def test_a_pin_that_it_did_not_scan_is_unknown(fake):
    audit = fake(report(scanned_packages=scanned(numpy="2.0")))
    assert (audit.answers[TORCH].unknown, audit.answers[NUMPY].unknown) == ("no-answer", None)


def test_a_pin_whose_version_it_did_not_read_is_unknown(fake):
    audit = fake(report(scanned_packages=scanned(torch=None, numpy="2.0")))
    assert (audit.answers[TORCH].unknown, audit.answers[NUMPY].unknown) == ("no-answer", None)


def test_what_its_own_settings_ignore_is_heard(fake):
    audit = fake(report(ignored_vulnerabilities=[vulnerability()]))
    assert [each.id for each in audit.answers[TORCH].advisories] == ["SAFETY-1"]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (1, "auditor-failed"),
        (2, "auditor-failed"),
        (65, "auditor-key"),
        (66, "auditor-service"),
        (67, "auditor-service"),
        (68, "auditor-service"),
        (69, "auditor-service"),
        (70, "auditor-failed"),
        (71, "auditor-failed"),
        (72, "auditor-key"),
        (73, "auditor-key"),
        (74, "auditor-key"),
        (75, "auditor-service"),
        (99, "auditor-failed"),
    ],
)
def test_every_exit_status_has_a_reason_and_no_secret(fake, code, reason):
    audit = fake(report(), code=code, errors=f"Your credential '{KEY}' is invalid", pins=[TORCH])
    (gap,) = audit.not_checked
    assert (audit.answers, gap.reason) == ({}, reason)
    assert KEY not in gap.message
    assert gap.message.endswith("without its answer: torch==1.0")


@pytest.mark.parametrize(
    "errors",
    [
        "Traceback\nhttpx.ConnectError: [Errno -2]",
        "Check your network connection, unable to reach the server.",
    ],
)
def test_no_network_is_said(fake, errors):
    assert reasons(fake(None, code=1, errors=errors)) == ["auditor-unreachable"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, 0),
        ("", 0),
        ("{}", 0),
        ("[]", 0),
        ('{"scanned_packages": {', 0),
        ("[" * 100_000, 0),
        (report(), 64),
        (report(vulnerability()), 0),
        (report(vulnerability(package_name="other")), 64),
        (report(vulnerability(analyzed_version="9.9")), 64),
        (report(vulnerability(vulnerability_id=None)), 64),
        (report(vulnerability(severity={"cvssv3": {"base_score": 99}})), 64),
        (report(scanned_packages=scanned(other="1.0")), 0),
        (report(vulnerabilities="none"), 0),
    ],
)
def test_what_is_no_report_is_never_clean(fake, content, code):
    audit = fake(content, code=code)
    assert (audit.answers, reasons(audit)) == ({}, ["auditor-output"])


def test_a_report_without_end_is_not_read(tmp_path):
    path = tmp_path / "report.json"
    with path.open("wb") as stream:
        stream.truncate((64 << 20) + 1)
    with pytest.raises(FailedError):
        safety._content(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.sampled_from(["torch", "1.0", "CVE-1", ""]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(sorted({*report(), *vulnerability(), "name", "torch"})), inner, max_size=6
        )
    ),
    max_leaves=12,
)


@settings(
    max_examples=200, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(
    st.binary(max_size=60)
    | st.dictionaries(st.sampled_from(sorted(report())), JSON).map(
        lambda value: json.dumps({**report(), **value}).encode()
    ),
    st.sampled_from([0, 64]),
)
def test_any_report_is_an_answer_about_what_was_asked_or_a_failure(data, code):
    try:
        answers = safety._read(data, code, PINS)
    except FailedError:
        return
    assert {name for name, _ in answers} <= set(PINS)


def test_importing_it_loads_no_safety():
    program = "import sys; import mlgate.checks.dependencies.auditors.safety; print(sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert "'safety'" not in loaded
    assert "'httpx'" not in loaded
