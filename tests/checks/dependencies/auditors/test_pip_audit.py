"""pip-audit's real command line against a service of our own, and its answers one by one."""

import http.server
import json
import os
import subprocess
import sys
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.version import Version

from mlgate.checks import dependencies
from mlgate.checks.dependencies.auditor import Pin
from mlgate.checks.dependencies.auditors import pip_audit
from mlgate.checks.dependencies.auditors._command import FailedError, Outcome

PINS = {"torch": Version("1.0"), "numpy": Version("2.0")}


@pytest.fixture
def service():
    """Start a service with the part of OSV's interface that pip-audit uses: POST /v1/query."""

    class Service(http.server.ThreadingHTTPServer):
        def __init__(self):
            super().__init__(("127.0.0.1", 0), Handler)
            self.records, self.asked = {}, []
            self.status, self.body = 200, None
            self.hangs, self.ended = False, threading.Event()
            self.url = f"http://127.0.0.1:{self.server_port}/v1/query"

        def reply(self, query):
            name, version = query["package"]["name"], query["version"]
            self.asked.append((name, version))
            found = self.records.get((name, version), [])
            return json.dumps({"vulns": found} if found else {}).encode()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            reply = self.server.reply(query)
            if self.server.hangs:
                self.server.ended.wait()
                return
            body = reply if self.server.body is None else self.server.body
            self.send_response(self.server.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with Service() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.ended.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def ask(scope_of, service):
    """Run the installed pip-audit against the service."""

    def run(*pins, seconds=60.0, url=None):
        environ = {"PATH": os.environ["PATH"], "PIP_AUDIT_OSV_URL": url or service.url}
        return pip_audit.audit(pins, scope_of({}, offline=False), environ=environ, seconds=seconds)

    return run


def reasons(audit):
    return [gap.reason for gap in audit.not_checked]


def test_vulnerable_and_clean_are_told_apart(ask, service, osv):
    service.records["torch", "1.0"] = [
        osv("GHSA-1", "torch", [("introduced", "0"), ("fixed", "1.2")], aliases=["CVE-1", "PYSEC-1"])
    ]
    torch, numpy = Pin("torch", "1.0+cu118"), Pin("numpy", "2.0")
    audit = ask(torch, numpy)
    (advisory,) = audit.answers[torch].advisories
    assert (advisory.id, advisory.aliases) == ("PYSEC-1", ("CVE-1", "GHSA-1"))
    assert (advisory.fixed, advisory.severity, advisory.cvss) == ("1.2", None, None)
    assert audit.answers[torch].upgrade == "1.2"
    assert (audit.answers[numpy].advisories, audit.answers[numpy].unknown) == ((), None)
    assert audit.not_checked == ()
    assert audit.sources[0].summary.startswith("answered for 2 of 2 pinned versions")


def test_two_versions_of_one_package_both_get_answers(ask, service):
    pins = [Pin("torch", "1.0"), Pin("torch", "2.0")]
    assert set(ask(*pins).answers) == set(pins)
    assert sorted(service.asked) == [("torch", "1.0"), ("torch", "2.0")]


def test_an_upgrade_is_one_that_the_service_calls_clean(ask, service, osv):
    for at, fix in [("1.0", "1.1"), ("1.1", "1.3")]:
        service.records["torch", at] = [osv(f"A-{at}", "torch", [("introduced", "0"), ("fixed", fix)])]
    answer = ask(Pin("torch", "1.0")).answers[Pin("torch", "1.0")]
    assert (answer.advisories[0].fixed, answer.upgrade) == ("1.1", "1.3")


def test_a_flaw_without_a_fix_leaves_no_upgrade(ask, service, osv):
    service.records["torch", "1.0"] = [
        osv("A-1", "torch", [("introduced", "0"), ("fixed", "1.1")]),
        osv("A-2", "torch"),
    ]
    answer = ask(Pin("torch", "1.0")).answers[Pin("torch", "1.0")]
    assert (sorted(each.id for each in answer.advisories), answer.upgrade) == (["A-1", "A-2"], None)


def test_a_service_that_fails_is_not_checked(ask, service):
    service.status = 500
    audit = ask(Pin("torch", "1.0"))
    assert (audit.answers, reasons(audit)) == ({}, ["auditor-service"])


def test_a_truncated_answer_is_not_checked(ask, service):
    service.body = b'{"vulns": [{"id": "A-1", "aff'
    audit = ask(Pin("torch", "1.0"))
    assert (audit.answers, reasons(audit)) == ({}, ["auditor-service"])


def test_a_service_that_hangs_is_not_checked(ask, service):
    service.hangs = True
    audit = ask(Pin("torch", "1.0"), seconds=4.0)
    assert (audit.answers, reasons(audit)) == ({}, ["auditor-timeout"])


def test_a_service_that_is_not_there_is_not_checked(ask, service):
    audit = ask(Pin("torch", "1.0"), url="http://127.0.0.1:1/v1/query")
    assert (audit.answers, reasons(audit)) == ({}, ["auditor-unreachable"])


@pytest.mark.parametrize("record", [{"id": "A-1", "schema_version": "2.0.0"}, {"id": "A-1"}])
def test_a_record_that_it_leaves_out_is_not_checked(ask, service, record):
    service.records["torch", "1.0"] = [record]
    assert reasons(ask(Pin("torch", "1.0"))) == ["auditor-incomplete"]


def test_auditors_that_disagree_are_both_heard_and_it_is_said(scope_of, service, osv, database, monkeypatch):
    service.records["torch", "1.0"] = [osv("PYSEC-1", "torch", aliases=["CVE-1"]), osv("GHSA-9", "torch")]
    own = database(osv("GHSA-1", "torch", aliases=["CVE-1"]), osv("GHSA-2", "torch"))
    monkeypatch.setenv("PIP_AUDIT_OSV_URL", service.url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    policy = "dependencies: {auditors: [osv, pip-audit]}"
    files = {"requirements.txt": "torch==1.0\nnumpy==1.0\n"}
    seen = dependencies.collect(scope_of(files, policy, advisories=own, offline=False))
    told = {
        each.detail["advisory"]: (each.detail["auditors"], each.detail["silent"])
        for each in seen.facts
        if each.kind == "dependency.vulnerable"
    }
    assert told == {
        "GHSA-1": (["osv", "pip-audit"], []),
        "GHSA-2": (["osv"], ["pip-audit"]),
        "GHSA-9": (["pip-audit"], ["osv"]),
    }
    assert "disagree on 1 of 2 pinned versions" in seen.sources[-1].summary
    assert seen.not_checked == ()


def test_nothing_to_ask_needs_no_pip_audit(scope_of):
    audit = pip_audit.audit([], scope_of({}, offline=False), command=("/nowhere",))
    assert (audit.answers, audit.not_checked) == ({}, ())


def test_offline_it_is_not_run(scope_of, tmp_path):
    marker = tmp_path / "marker"
    command = (sys.executable, "-c", f"open({str(marker)!r}, 'w')")
    scope = scope_of({}, "dependencies: {auditors: [pip-audit]}", offline=True)
    for given_command in (command, None):
        audit = pip_audit.audit([Pin("torch", "1.0")], scope, command=given_command)
        (gap,) = audit.not_checked
        assert (audit.answers, gap.reason) == ({}, "auditor-offline")
        assert (gap.location.path, gap.location.line) == (".mlgate.yaml", 2)
        assert "needs the network" in gap.message
    assert not marker.exists()


@pytest.mark.parametrize("module", ["pip_audit_of_nobody"])
def test_without_pip_audit_it_says_what_to_install(scope_of, module):
    audit = pip_audit.audit(
        [Pin("torch", "1.0")], scope_of({}, offline=False), command=(sys.executable, "-P", "-m", module)
    )
    (gap,) = audit.not_checked
    assert gap.reason == "auditor-missing"
    assert "pip-audit is not installed; pip install 'mlgate[pip-audit]'" in gap.message


def test_a_pin_that_it_does_not_mention_is_unknown(scope_of):
    program = """print('{"dependencies": [{"name": "torch", "version": "1.0", "vulns": []}]}')"""
    pins = [Pin("torch", "1.0"), Pin("numpy", "2.0")]
    audit = pip_audit.audit(pins, scope_of({}, offline=False), command=(sys.executable, "-c", program))
    assert [audit.answers[pin].unknown for pin in pins] == [None, "no-answer"]
    assert audit.sources[0].summary.startswith("answered for 1 of 2 pinned versions")


def test_the_repository_cannot_choose_the_service(scope_of, tmp_path):
    """Neither a file of the policy's folder nor one that pip-audit or pip would read."""
    program = (
        "import json, os, sys; json.dump([sys.argv, os.getcwd(), dict(os.environ)], open(sys.argv[1], 'w'))"
    )
    seen = tmp_path / "seen.json"
    files = {"pip.conf": "[global]\nindex-url = https://evil.example\n", ".env": "PIP_AUDIT_OSV_URL=x"}
    scope = scope_of(files, offline=False)
    environ = {"PIP_CONFIG_FILE": str(tmp_path / "pip.conf"), "PIP_AUDIT_VULNERABILITY_SERVICE": "esms"}
    pip_audit.audit(
        [Pin("torch", "1.0")], scope, environ=environ, command=(sys.executable, "-c", program, str(seen))
    )
    arguments, folder, environment = json.loads(seen.read_text())
    assert arguments[arguments.index("--vulnerability-service") + 1] == "pypi"
    assert str(tmp_path) not in {folder, environment["HOME"]}
    assert not environment.keys() & environ.keys()


def report(*entries, code=0, errors=""):
    return Outcome(code, json.dumps({"dependencies": list(entries), "fixes": []}).encode(), errors)


TORCH = {"name": "torch", "version": "1.0.0", "vulns": []}
FOUND = {"name": "torch", "version": "1.0", "vulns": [{"id": "A-1", "fix_versions": ["2", "1.5", "0.9"]}]}


def test_a_skipped_package_is_unknown():
    skipped = {"name": "torch", "skip_reason": "Dependency not found on PyPI"}
    (answer,) = pip_audit._read(report(skipped), PINS).answers.values()
    assert answer.unknown == "auditor-skipped"
    assert "torch 1.0" in answer.message


@pytest.mark.parametrize(
    "second", [{"name": "torch", "skip_reason": "?"}, {"name": "torch", "version": "1.0"}]
)
def test_findings_beside_a_skipped_entry_are_heard(second):
    (answer,) = pip_audit._read(report(FOUND, second, code=1), PINS).answers.values()
    assert (len(answer.advisories), answer.unknown) == (1, "auditor-skipped")
    assert answer.advisories[0].fixed == "1.5"


@pytest.mark.parametrize(
    "outcome",
    [
        report(TORCH, code=1),
        report(FOUND, code=0),
        report(TORCH, code=2),
        report({"name": "other", "version": "1.0", "vulns": []}),
        report({**TORCH, "version": "9.9"}),
        report({**TORCH, "vulns": [{"fix_versions": []}]}, code=1),
        report({**TORCH, "vulns": "none"}),
        Outcome(0, b"", "No known vulnerabilities found"),
        Outcome(0, b"[]", ""),
        Outcome(0, b"{}", ""),
        Outcome(0, b"null", ""),
        Outcome(0, b'{"dependencies": [', ""),
        Outcome(0, b"\xff\xfe", ""),
        Outcome(0, b"[" * 100_000, ""),
        Outcome(-9, b"", ""),
        Outcome(1, b"", "Traceback (most recent call last):\nKeyError: 'x'\n"),
    ],
)
def test_what_is_no_answer_is_never_clean(outcome):
    with pytest.raises(FailedError):
        pip_audit._read(outcome, PINS)


@pytest.mark.parametrize(
    ("errors", "reason"),
    [
        (
            "Traceback (most recent call last):\nrequests.exceptions.ConnectionError: to u:secret@h",
            "auditor-unreachable",
        ),
        ("Traceback (most recent call last):\nrequests.exceptions.SSLError: x", "auditor-unreachable"),
        (
            "ERROR:pip_audit._cli:Could not connect to PyPI's vulnerability feed\nERROR:Tip",
            "auditor-unreachable",
        ),
        ("Traceback (most recent call last):\npip_audit._service.interface.ServiceError", "auditor-service"),
        ("Traceback (most recent call last):\nKeyError: 'secret'", "auditor-failed"),
        ("ERROR:pip_audit._cli:secret", "auditor-failed"),
        ("", "auditor-failed"),
        ("/usr/bin/python: No module named pip_audit", "auditor-missing"),
    ],
)
def test_failures_have_names_and_keep_secrets(errors, reason):
    with pytest.raises(FailedError) as failure:
        pip_audit._read(Outcome(1, b"", errors), PINS)
    assert failure.value.reason == reason
    assert "secret" not in failure.value.message


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(["torch", "1.0", "A-1"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["dependencies", "name", "version", "vulns", "id", "skip_reason", "aliases"]),
            inner,
        )
    ),
    max_leaves=12,
)


@settings(
    max_examples=200, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()), st.integers(-1, 3))
def test_any_output_is_an_answer_about_what_was_asked_or_a_failure(output, code):
    try:
        reply = pip_audit._read(Outcome(code, output, ""), PINS)
    except FailedError:
        return
    assert {name for name, _ in reply.answers} <= set(PINS)


def test_importing_it_loads_no_pip_audit():
    program = "import sys; import mlgate.checks.dependencies.auditors.pip_audit; print(sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert "'pip_audit'" not in loaded
    assert "'requests'" not in loaded
