"""Parquet: read in a sandbox, column by column, and refused in words."""

import io
from contextlib import suppress

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlgate.checks.assessment.datasets import parquet
from mlgate.checks.assessment.model import Request
from mlgate.checks.assessment.problems import Unassessable
from mlgate.checks.assessment.sandbox.worker import Worker
from mlgate.checks.assessment.table import Columns

MOST = 1 << 20
COLUMNS = {
    "a": [1.0, 2.5, None, 4.0],
    "n": [1, 2, 3, 4],
    "flag": [True, False, None, True],
    "y": pa.array([0, 1, 2, 1], pa.int32()),
    "sex": pa.array(["f", "m", "f", "m"]).dictionary_encode(),
    "text": ["one", "two", None, "four"],
    "when": pa.array([0, 1, 2, 3], pa.timestamp("s")),
}


def content(columns=None, **options):
    out = io.BytesIO()
    pq.write_table(pa.table(columns or COLUMNS), out, **options)
    return out.getvalue()


def read(features=("a", "n"), label="y", groups=(), data=None, most=MOST, **more):
    return parquet.read(
        content() if data is None else data, Columns(label, features, groups, **more), most, "d.parquet"
    )


def test_numbers_labels_and_groups_are_read():
    table = read(("n", "a", "flag"), groups=("sex",))
    np.testing.assert_array_equal(table.x[:2], [[1, 1.0, 1], [2, 2.5, 0]])
    assert np.isnan(table.x[2, 1:]).all()
    assert table.y.tolist() == [0, 1, 2, 1]
    assert table.y.dtype.kind == "i"
    assert list(table.groups["sex"]) == ["f", "m", "f", "m"]
    assert table.names == ("n", "a", "flag")


def test_labels_and_features_may_be_texts():
    table = read(("text",), "sex", text=True)
    assert table.x.tolist() == [["one"], ["two"], [""], ["four"]]
    assert table.y.tolist() == ["f", "m", "f", "m"]
    assert table.y.dtype.kind == "U"


def test_every_other_column_is_a_feature():
    data = content({"a": [1.0, 2.0], "y": [0, 1], "g": ["u", "v"]})
    assert read(None, groups=("g",), data=data).names == ("a",)


@pytest.mark.parametrize("compression", ["snappy", "gzip", "zstd", "lz4", "none"])
def test_the_usual_compressions_are_read(compression):
    assert read(data=content(compression=compression)).x.shape == (4, 2)


@pytest.mark.parametrize(
    ("arguments", "reason", "words"),
    [
        ({"label": "z"}, "missing-column", "no column 'z'; it has 'a', 'n'"),
        ({"features": ("z",)}, "missing-column", "no column 'z'"),
        ({"groups": ("z",)}, "missing-column", "no column 'z'"),
        ({"features": ("sex",)}, "wrong-type", "column 'sex' holds text; number is needed"),
        ({"features": ("when",)}, "wrong-type", "timestamp"),
        ({"features": ("a",), "text": True}, "wrong-type", "text is needed"),
        ({"features": ("y",)}, "wrong-features", "other than the label"),
        ({"label": "text"}, "missing-label", "'text' has empty cells"),
        ({"groups": ("text",)}, "missing-group", "'text' has empty cells"),
        ({"most": 20}, "unreadable-data", "declares 4 rows"),
        ({"most": 40}, "limit", "limits.data_bytes"),
        ({"data": b"PAR1 rubbish"}, "unreadable-data", "no readable Parquet"),
        ({"data": content()[:-20]}, "unreadable-data", "no readable Parquet"),
    ],
)
def test_what_is_wrong_is_said(arguments, reason, words):
    with pytest.raises(Unassessable, match=words) as caught:
        read(**arguments)
    assert caught.value.reason == reason
    assert "d.parquet" in caught.value.message


@pytest.fixture(scope="module")
def worker():
    request = Request(arguments={"most": MOST})
    with Worker(parquet._Here, request, memory=6 << 30, seconds=60, cpu_seconds=60) as started:
        yield started


def test_every_wall_stands_around_the_parser(worker):
    assert all(wall.stands for wall in worker.walls), worker.walls


def test_damaged_files_are_answers_and_not_the_end(worker):
    honest, rng = content(), np.random.default_rng(0)
    for _ in range(150):
        data = bytearray(honest)
        for at in rng.integers(0, len(data), rng.integers(1, 8)):
            data[at] = rng.integers(0, 256)
        with suppress(Unassessable):
            worker.load(bytes(data))
            worker.columns(("a", "n", "sex"), MOST)
    worker.load(honest)
    assert worker.columns(("n",), MOST)["values"].tolist() == [[1], [2], [3], [4]]


def test_a_crash_of_the_parser_is_said(monkeypatch):
    monkeypatch.setattr(parquet, "_MEMORY", 10 << 20)
    with pytest.raises(Unassessable, match="d.parquet cannot be read") as caught:
        read()
    assert caught.value.reason == "unreadable-data"


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"names": np.array(["a", "a"], dtype=object), "kinds": np.array(["number"] * 2, dtype=object)},
        {"names": np.array(["a"], dtype=object), "kinds": np.array(["number", "text"], dtype=object)},
        {"names": np.array("a", dtype=object), "kinds": np.zeros((2, 2))},
    ],
)
def test_lies_about_columns_are_refused(schema):
    if schema:
        with pytest.raises(Unassessable, match="name its columns"):
            parquet._kinds(schema, "d.parquet")
    for rows in (None, np.array(["many"], dtype=object), np.zeros(2, int), np.zeros(1)):
        with pytest.raises(Unassessable, match="how many rows"):
            parquet._rows({**schema, **({} if rows is None else {"rows": rows})}, "d.parquet")
