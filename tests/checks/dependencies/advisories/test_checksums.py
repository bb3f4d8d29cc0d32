import base64
import hashlib
import io

import pytest

from mlgate.checks.dependencies.advisories.checksums import ChecksumError, crc32c, verify

BODY = b"123456789"
MD5 = base64.b64encode(hashlib.md5(BODY).digest()).decode()
CRC = base64.b64encode(bytes.fromhex("e3069283")).decode()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        # RFC 3720, appendix B.4, and the check value of the catalogue of CRCs.
        (bytes(32), "8a9136aa"),
        (b"\xff" * 32, "62a8ab43"),
        (bytes(range(32)), "46dd794e"),
        (bytes(range(31, -1, -1)), "113fdb5c"),
        (b"123456789", "e3069283"),
        (b"", "00000000"),
    ],
)
def test_crc32c_is_castagnolis(data, expected):
    assert crc32c(io.BytesIO(data)).hex() == expected


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [f"crc32c={CRC}", f"md5={MD5}"],
        [f"crc32c={CRC},md5={MD5}"],
        [f"crc32c={CRC}"],
        [f"md5={MD5}", "crc32c=AAAAAA=="],
        ["sha9=unknown"],
    ],
)
def test_what_is_whole_is_accepted(headers):
    verify(io.BytesIO(BODY), headers)


@pytest.mark.parametrize(
    "headers",
    [["md5=AAAA"], ["crc32c=AAAAAA=="], ["md5=*"], ["crc32c="], [f"md5={CRC}"], [f"crc32c={CRC} x"]],
)
def test_what_differs_is_refused(headers):
    with pytest.raises(ChecksumError):
        verify(io.BytesIO(BODY), headers)
