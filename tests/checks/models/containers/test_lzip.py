import lzma
import zlib

import pytest
from tests.checks.models.building import EVIL, NOISE, called, format_of, kinds, look, reasons


def lzip(data, code=20, crc=None):
    """Return data as one member, as the program of that name writes it."""
    settings = {"id": lzma.FILTER_LZMA1, "dict_size": 1 << 20, "lc": 3, "lp": 0, "pb": 2}
    alone = lzma.compress(data, lzma.FORMAT_ALONE, filters=[settings])
    body = alone[13:]
    trailer = (zlib.crc32(data) if crc is None else crc).to_bytes(4, "little") + len(data).to_bytes(
        8, "little"
    )
    return b"LZIP\1" + bytes([code]) + body + trailer + (26 + len(body)).to_bytes(8, "little")


def test_the_content_of_all_members_is_routed():
    seen = look(lzip(EVIL[:10]) + lzip(EVIL[10:]), "m.tar.lz")
    assert called(seen) == {"posix.system"}
    assert format_of(seen) == "lzip"
    assert not seen.not_checked


def test_a_wrong_trailer_is_not_checked():
    assert reasons(look(lzip(EVIL, crc=1), "m.lz")) == {"truncated"}


def test_a_dictionary_that_would_fill_memory_is_not_checked():
    assert reasons(look(lzip(EVIL, code=29), "m.lz")) == {"limit"}


def test_bytes_behind_are_named():
    assert "core.unaccounted" in kinds(look(lzip(b"text") + b"behind", "m.lz"))


@pytest.mark.parametrize("cut", [0, 4, 5, 6, 7, 20, -1, -21])
def test_cut_anywhere(cut):
    assert "reader-failed" not in reasons(look(lzip(EVIL + NOISE)[:cut], "m.lz"))
