import logging.config
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.checks.models.building import judged, look, reasons

HONEST = """\
[loggers]
keys=root

[handlers]
keys=console,file

[formatters]
keys=plain

[logger_root]
level=INFO
handlers=console,file

[handler_console]
class=StreamHandler
formatter=plain
args=(sys.stdout,)

[handler_file]
class: logging.handlers.RotatingFileHandler
args: (os.path.join('logs', 'app.log'), 'a',
    1000)
kwargs = {'delay': True}

[formatter_plain]
format=%(asctime)s %(message)s
"""
EVIL = """\
[loggers]
keys=root
[handlers]
keys=x
[formatters]
keys=
[logger_root]
handlers=x
[handler_x]
class=StreamHandler
args=
    # of the command
    ({},)
"""


def verdicts(text, name="logging.ini"):
    return [(each.rule, each.severity.value, each.subject) for each in judged(look(text.encode(), name))]


def test_an_ordinary_configuration():
    assert verdicts(HONEST) == []


@pytest.mark.parametrize("name", ["logging.ini", "log.cfg", "logging.conf"])
@pytest.mark.parametrize(
    "code", ["os.system('true')", "__import__('os').system('true')", "sys.modules['os'].system('true')"]
)
def test_a_handler_that_runs_a_command(name, code):
    found = {(rule, severity) for rule, severity, _ in verdicts(EVIL.format(code), name)}
    assert found & {("MLG-HFR-006", "critical"), ("MLG-HFR-006", "high")}
    assert verdicts(HONEST.replace("class=StreamHandler", f"class = {code}"), name)
    assert verdicts(HONEST.replace("{'delay': True}", f"{{'delay': {code}}}"), name)


def test_the_standard_library_evaluates_what_is_judged(tmp_path):
    mark = tmp_path / "mark"
    path = tmp_path / "logging.ini"
    path.write_text(EVIL.format(f"open({str(mark)!r}, 'w').close() or sys.stderr"))
    logging.config.fileConfig(path, disable_existing_loggers=False)
    logging.getLogger().handlers.clear()
    assert mark.exists()
    assert sys.stderr


def test_other_sections_are_data():
    assert verdicts("[handler_x]\nclass=StreamHandler\n[tool]\nargs=(os.system('true'),)\n") == []
    assert verdicts("[handlers]\nkeys=x\n; [handler_x]\n[y]\nclass=os.system('true')\n") == []


def test_a_long_configuration_is_undecided():
    assert reasons(look(EVIL.encode() * 9, "a.ini", text_bytes=100)) == {"limit"}


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_survived(text):
    assert "reader-failed" not in reasons(
        look(f"[handler_x]\nargs=(os.system(1),)\n{text}".encode(), "a.ini")
    )
