"""Texts of the shape of credentials, drawn by chance: none of them opens anything."""

import random
import string

from mlgate.checks.models import secrets

_DRAW = random.Random(7)


def drawn(length, letters=string.ascii_letters + string.digits):
    return "".join(_DRAW.choices(letters, k=length))


_BODY = drawn(30)
# With the checksum that real ones have.
GITHUB = f"ghp_{_BODY}{secrets._checksum(_BODY)}"
HUGGING_FACE = f"hf_{drawn(34)}"
AWS = "AKIA" + drawn(16, string.ascii_uppercase + "234567")
PRIVATE_KEY = "\n".join(
    ["-----BEGIN PRIVATE KEY-----", *(drawn(64) for _ in range(8)), "-----END PRIVATE KEY-----"]
)
