"""Pickles in the columns of Parquet files, and Snappy."""

import io
import pickle

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.checks.models.building import EVIL, NOISE, judged, look

from mlgate.checks.models.formats._parquet_pages import snappy, unpacked


def table(values, **options):
    stream = io.BytesIO()
    columns = {"id": list(range(len(values))), "model": pa.array(values, pa.binary())}
    pq.write_table(pa.table(columns), stream, **options)
    return stream.getvalue()


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip"])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("values", [[EVIL], [EVIL] * 5, [pickle.dumps(1), b"", EVIL]])
def test_a_pickle_in_a_column_is_found(compression, version, values):
    data = table(values, compression=compression, data_page_version=version)
    assert "MLG-PKL-002" in {each.rule for each in judged(look(data, "data.parquet"))}


def test_a_page_that_is_as_long_packed_as_it_was():
    codec = pa.Codec("snappy")
    pages = (EVIL + b"\0" * more for more in range(100))
    page, packed = next(
        (page, packed)
        for page in pages
        for packed in [codec.compress(page + NOISE[:20], asbytes=True)]
        if len(packed) == len(page) + 20
    )
    found = list(unpacked(packed, len(packed), len(page) + 20))
    assert found == [packed, page + NOISE[:20]]


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd"])
def test_other_columns_say_nothing(compression):
    values = [pickle.dumps({"a": at}) for at in range(50)] + [NOISE, b"\x80\x04\x95" + NOISE]
    seen = look(table(values, compression=compression), "data.parquet")
    assert (judged(seen), seen.not_checked) == ((), ())


@given(st.lists(st.sampled_from([b"a", b"abc", b"\0" * 70, NOISE[:100], NOISE]), max_size=30).map(b"".join))
def test_snappy_is_undone(data):
    packed = pa.Codec("snappy").compress(data, asbytes=True)
    assert snappy(packed, len(data), len(data)) == data
    assert data.startswith(snappy(packed, len(data), len(data) // 2)[: len(data)])
    assert snappy(packed, len(data) + 1, len(data)) == b""


@given(st.binary(max_size=100), st.integers(0, 1000))
def test_any_bytes(data, whole):
    assert len(snappy(data, whole, 100)) < 1 << 17


@given(st.integers(0, 300), st.binary(max_size=20))
def test_no_damage_breaks_the_reader(at, damage):
    data = table([EVIL, NOISE])
    look(data[:at] + damage + data[at + len(damage) :], "data.parquet")


def test_decoys_hide_no_pickle():
    data = table([b"\x80\x04\x95" * 500, EVIL], compression="none")
    assert "MLG-PKL-002" in {each.rule for each in judged(look(data, "data.parquet"))}


def test_many_honest_pickles_leave_the_footer_alone():
    values = [pickle.dumps({"a": at}) for at in range(2000)]
    seen = look(table(values, compression="none"), "data.parquet")
    assert (judged(seen), seen.not_checked) == ((), ())
