import random
import struct

import pytest
from backports import zstd as packer
from tests.checks.models.building import EVIL, Entry, called, format_of, kinds, look, reasons, zipped

from mlgate.checks.models.containers import _zstd

SKIPPED = struct.pack("<II", 0x184D2A50, 3) + b"abc"


@pytest.mark.parametrize("name", ["m.pkl.zst", "m.joblib", "weights.bin"])
def test_the_content_is_routed(name):
    seen = look(packer.compress(EVIL), name)
    assert called(seen) == {"posix.system"}
    assert format_of(seen) == "zstd"
    assert not seen.not_checked


def test_frames_end_to_end_and_frames_that_are_skipped():
    seen = look(SKIPPED * 2 + packer.compress(EVIL[:10]) + SKIPPED + packer.compress(EVIL[10:]) + SKIPPED)
    assert called(seen) == {"posix.system"}
    assert "core.unaccounted" not in kinds(seen)
    assert not seen.not_checked


def test_what_came_out_of_a_damaged_stream_is_looked_at():
    noise = random.Random(0).randbytes(300_000)
    seen = look(packer.compress(EVIL + noise)[:-100], "m.zst")
    assert called(seen) == {"posix.system"}
    assert reasons(seen) == {"truncated"}


def test_a_window_that_would_fill_memory_is_not_checked():
    options = {
        packer.CompressionParameter.window_log: 27,
        packer.CompressionParameter.enable_long_distance_matching: 1,
    }
    engine = packer.ZstdCompressor(options=options)
    data = engine.compress(EVIL) + engine.flush()
    assert reasons(look(data, "m.zst")) == {"limit"}


def test_without_a_decompressor_it_is_not_checked(monkeypatch):
    def missing():
        raise _zstd.Missing

    monkeypatch.setattr(_zstd, "_module", missing)
    seen = look(packer.compress(EVIL), "m.zst")
    assert [item.reason for item in seen.not_checked] == ["unsupported-format"]
    assert "pip install backports.zstd" in seen.not_checked[0].message
    packed = zipped(Entry("m/data.pkl", EVIL, method=93, packed=packer.compress(EVIL)))
    assert reasons(look(packed)) == {"unsupported-format"}


def test_a_member_of_a_zip_archive():
    seen = look(zipped(Entry("m/data.pkl", EVIL, method=93, packed=packer.compress(EVIL))))
    assert called(seen) == {"posix.system"}
    assert not seen.not_checked
