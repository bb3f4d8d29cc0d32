"""What holds for every test."""

import os

import pytest

_FORBIDS_SKIPS = "MLGATE_NO_SKIPS"


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test asks the network for advisories, or finds those that an earlier run kept."""
    # Nothing listens there: a run that forgets to be offline is undecided.
    monkeypatch.setenv("MLGATE_OSV_URL", "http://127.0.0.1:9/")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "no-cache"))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run where a test was skipped and ``MLGATE_NO_SKIPS`` forbids it."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if not os.environ.get(_FORBIDS_SKIPS) or reporter is None:
        return
    if reporter.stats.get("skipped") and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say why a run without a failing test failed."""
    skipped = terminalreporter.stats.get("skipped", [])
    if os.environ.get(_FORBIDS_SKIPS) and skipped:
        terminalreporter.write_line(
            f"{len(skipped)} skipped, and {_FORBIDS_SKIPS} is set: the run fails", red=True
        )
