import json

import pytest
from tests.checks.models.building import judged, kinds, look, reasons

ARRAY = {
    "chunks": [10],
    "compressor": {"id": "blosc", "cname": "lz4"},
    "dtype": "|O",
    "fill_value": 0,
    "filters": [{"id": "pickle", "protocol": 5}],
    "order": "C",
    "shape": [10],
    "zarr_format": 2,
}
THIRD = {"zarr_format": 3, "node_type": "array", "codecs": [{"name": "bytes"}, {"name": "numcodecs.pickle"}]}


@pytest.mark.parametrize(
    "document",
    [
        ARRAY,
        {**ARRAY, "filters": None, "compressor": {"id": "pickle"}},
        {"zarr_consolidated_format": 1, "metadata": {"a/.zarray": ARRAY}},
        THIRD,
        {
            "zarr_format": 3,
            "codecs": [{"name": "sharding_indexed", "configuration": {"codecs": THIRD["codecs"]}}],
        },
    ],
)
@pytest.mark.parametrize("name", [".zarray", "zarr.json", "noextension"])
def test_a_codec_that_unpickles_is_found(document, name):
    found = judged(look(json.dumps(document, indent=1).encode(), name))
    assert [(each.rule, each.severity.value) for each in found] == [("MLG-ORB-001", "high")]


def test_an_escape_hides_nothing():
    data = json.dumps(ARRAY).replace("pickle", "p\\u0069ckle").encode()
    assert "zarr.pickled" in kinds(look(data, ".zarray"))


@pytest.mark.parametrize(
    "document",
    [
        {**ARRAY, "dtype": "<f4", "filters": None},
        {**ARRAY, "filters": [{"id": "vlen-utf8"}]},
        {**ARRAY, "filters": [{"id": "json2"}], "attributes": {"id": "pickle"}},
        {"zarr_format": 2, "note": "no pickle here"},
    ],
)
def test_ordinary_arrays_say_nothing(document):
    seen = look(json.dumps(document).encode(), ".zarray")
    assert (seen.facts, seen.not_checked, seen.inventory) == ((), (), ())


@pytest.mark.parametrize("cut", range(0, 200, 9))
def test_cut_anywhere(cut):
    assert "reader-failed" not in reasons(look(json.dumps(ARRAY).encode()[:cut], ".zarray"))
