"""The HDF5 reader against h5py: the same links, and the same attributes, in every kind of file."""

import ctypes
import io
import json
import pickle
from pathlib import Path

import h5py
import numpy as np
import pytest
from tests.checks.models.building import EVIL, judged, look, reasons

from mlgate.checks.models.formats import _hdf5_file as hdf5
from mlgate.checks.models.formats._hdf5_source import Source
from mlgate.checks.models.formats._hdf5_super import place, root
from mlgate.checks.models.reader import Blob, Clock
from mlgate.core.facts import Location, NotChecked
from mlgate.core.limits import Limits


class Recorder(hdf5._File):
    """Notes everything that the walk comes by."""

    def __init__(self, *args):
        super().__init__(*args)
        self.links = set()
        self.values = {}

    def _listed(self, links, path):
        def noted():
            for link in links:
                kind = {0: "hard", 1: "soft", 64: "external"}[link.kind]
                target = link.target.rstrip(b"\0").decode(), link.file.decode()
                self.links.add((f"{path}/{link.name.decode()}", kind, *target))
                yield link

        return super()._listed(noted(), path)

    def _attribute(self, at, path, dataset):
        attribute = self._attributes.attribute(at)
        values = [
            self._source.read(value.address, value.size) for value in self._attributes.values(attribute)
        ]
        self.values[path, attribute.name.decode()] = values
        return super()._attribute(at, path, dataset)


def ours(data):
    blob = Blob(
        location=Location("m.h5"), stream=io.BytesIO(data), size=len(data), head=data[:4096], name="m.h5"
    )
    clock = Clock(60)
    source = Source(blob.stream, blob.size, place(blob), clock)
    walk = Recorder(blob, source, Limits(), clock)
    items = list(walk.items(root(source)))
    assert not [item for item in items if isinstance(item, NotChecked)]
    return walk.links, walk.values


def theirs(data):
    links, values = set(), {}
    with h5py.File(io.BytesIO(data), "r") as opened:
        pending, seen = [("", opened)], set()
        while pending:
            path, each = pending.pop()
            address = h5py.h5o.get_info(each.id).addr
            if address in seen:
                continue
            seen.add(address)
            for name in each.attrs:
                values[path, name] = raw(each.attrs.get_id(name), each.attrs[name])
            if not isinstance(each, h5py.Group):
                continue
            for name in each:
                link = each.get(name, getlink=True)
                inside = f"{path}/{name}"
                if isinstance(link, h5py.HardLink):
                    links.add((inside, "hard", "", ""))
                    pending.append((inside, each[name]))
                elif isinstance(link, h5py.ExternalLink):
                    links.add((inside, "external", link.path, link.filename))
                else:
                    links.add((inside, "soft", link.path, ""))
    return links, values


def raw(attribute, value):
    kind = attribute.get_type()
    if isinstance(kind, h5py.h5t.TypeStringID) and kind.is_variable_str():
        items = np.atleast_1d(np.asarray(value, dtype=object)).ravel()
        return [item.encode() if isinstance(item, str) else bytes(item) for item in items if len(item)]
    if kind.get_class() == h5py.h5t.VLEN:
        return [item.tobytes() for item in np.atleast_1d(value).ravel() if len(item)]
    is_bytes = kind.get_class() in (h5py.h5t.STRING, h5py.h5t.OPAQUE, h5py.h5t.COMPOUND, h5py.h5t.ARRAY)
    if not is_bytes and not (kind.get_class() == h5py.h5t.INTEGER and kind.get_size() == 1):
        return []
    if kind.get_class() == h5py.h5t.ARRAY:
        return [value.tobytes()]
    made = np.empty(attribute.shape, attribute.dtype)
    attribute.read(made)
    return [made.tobytes()] if made.nbytes else []


def plain(opened):
    opened.attrs["keras_version"] = "3.0"
    opened.attrs["fixed"] = np.bytes_(b"fixed")
    opened.attrs["names"] = ["a", "bc", "", "dé"]
    opened.attrs["bytes"] = np.array([b"a", b"bcd"], dtype="S8")
    opened.attrs["number"] = 5
    opened.attrs["opaque"] = np.void(b"\x80\x04K\x01.")
    opened.attrs["small"] = np.arange(9, dtype="u1")
    opened.attrs["none"] = h5py.Empty("f")
    layer = opened.create_group("layers/dense/vars")
    layer.create_dataset("0", data=np.zeros((4, 4), "f4"))
    layer["0"].attrs["unit"] = "m"
    opened["alias"] = h5py.SoftLink("/layers/dense")
    opened["self"] = opened["/"]


def crowded(opened):
    group = opened.create_group("g")
    for at in range(300):
        opened.attrs[f"attribute {at}"] = f"value {at}" * (at % 7)
        group.create_group(f"a group with a name that is not short at all, number {at}")
        group[f"soft {at}"] = h5py.SoftLink(f"/g/{at}")


def many(opened):
    for at in range(1500):
        opened[f"soft link {at} " + "x" * (at % 50)] = h5py.SoftLink("/somewhere")


def long_values(opened):
    opened.attrs["model_config"] = json.dumps({"text": "x" * 200_000})
    for at in range(40):
        opened.attrs[f"n{at}"] = np.bytes_(b"y" * (100 + 800 * at))
    opened.attrs["v"] = np.array(["ab" * 5000, "c" * 70000], dtype=h5py.string_dtype())


def huge_attributes(opened):
    for at in range(12):
        opened.attrs[f"h{at}"] = np.bytes_(b"%d" % at * 70000)


def committed(opened):
    opened["type"] = np.dtype("S5")
    opened["pair"] = np.dtype([("a", "f4"), ("b", "S3")])
    opened.attrs.create("x", np.bytes_(b"abc"), dtype=opened["type"])
    opened.create_dataset("d", (3,), dtype=opened["type"])
    opened.attrs.create("y", np.zeros(2, opened["pair"].dtype), dtype=opened["pair"])


def sequences(opened):
    kind = h5py.vlen_dtype(np.dtype("u1"))
    opened.attrs.create(
        "v", np.array([np.arange(5, dtype="u1"), np.arange(2, dtype="u1")], dtype=object), dtype=kind
    )
    opened.attrs.create("i", np.array([[1, 2], [3, 4]]), dtype=np.dtype(("i1", (2,))), shape=(2,))
    opened.create_dataset("d", (10,), dtype=h5py.string_dtype(), chunks=(5,), compression="gzip")
    opened.create_dataset("c", data=np.zeros((100, 100)), chunks=(10, 10), compression="gzip", shuffle=True)


def foreign(opened):
    opened["x"] = h5py.ExternalLink("/etc/other.h5", "/a/b")
    for at in range(20):
        opened[f"x{at}"] = h5py.ExternalLink(f"other{at}.h5", "/a")


CONTENTS = (plain, crowded, many, long_values, huge_attributes, committed, sequences, foreign)
LONG = (long_values, huge_attributes)  # attributes of more than 64 KiB need the newer kind


def written(fill, **options):
    stream = io.BytesIO()
    with h5py.File(stream, "w", **options) as opened:
        fill(opened)
    return stream.getvalue()


VERSIONS = ["earliest", "v108", "v112", "latest"]


@pytest.mark.parametrize("order", [False, True])
@pytest.mark.parametrize(
    ("fill", "version"),
    # The oldest files have no room for huge attributes.
    [
        (fill, version)
        for fill in CONTENTS
        for version in VERSIONS
        if fill is not huge_attributes or version != "earliest"
    ],
)
def test_links_and_attributes(fill, version, order):
    data = written(
        fill, libver=version if version in ("earliest", "latest") else (version, version), track_order=order
    )
    assert ours(data) == theirs(data)


@pytest.mark.parametrize("block", [512, 1024, 2048, 4096, 1 << 20])
def test_user_blocks(block):
    data = written(plain, userblock_size=block)
    assert ours(data) == theirs(data)
    assert not look(data, "m.h5").not_checked


def pickled(payloads, **options):
    """A table of pickles, as PyTables and pandas write it."""
    stream = io.BytesIO()
    with h5py.File(stream, "w", libver=options.pop("libver", "earliest")) as opened:
        kind = h5py.vlen_dtype(np.dtype("u1"))
        made = opened.create_dataset("objects", (len(payloads),), kind, **options)
        made.attrs["PSEUDOATOM"] = np.bytes_(b"object")
        for at, payload in enumerate(payloads):
            made[at] = np.frombuffer(payload, "u1")
    return stream.getvalue()


PACKED = [
    {},
    {"chunks": (7,)},
    {"chunks": (7,), "compression": "gzip"},
    {"chunks": (64,), "compression": "gzip", "shuffle": True},
]


@pytest.mark.parametrize("options", PACKED)
def test_tables_of_pickles_are_read(options):
    honest = [pickle.dumps({"a": at}) for at in range(100)]
    seen = look(pickled(honest, **options), "m.h5")
    assert (judged(seen), seen.not_checked) == ((), ())
    hostile = look(pickled([*honest, EVIL], **options), "m.h5")
    assert {"MLG-PKL-002"} <= {each.rule for each in judged(hostile)}


@pytest.mark.parametrize(
    "options",
    [{"chunks": (7,)}, {"chunks": (7,), "compression": "gzip"}, {"compression": "gzip", "shuffle": True}],
)
def test_a_pickle_in_the_chunks_of_a_data_set(options):
    stream = io.BytesIO()
    with h5py.File(stream, "w") as opened:
        # So many chunks that the tree has levels.
        opened.create_dataset("u", data=np.frombuffer(bytes([*EVIL, *bytes(7000)]), "u1"), **options)
        opened.create_dataset("v", data=np.frombuffer(EVIL, "i1"), **options)
        opened.create_dataset("images", data=np.full((100, 100), 0x80, "u1"), compression="gzip")
    seen = look(stream.getvalue(), "m.h5")
    places = {each.location.member.partition("@")[0] for each in judged(seen) if each.rule == "MLG-PKL-002"}
    assert (places, seen.not_checked) == ({"u", "v"}, ())


@pytest.mark.parametrize(
    "options", [{"chunks": (7,), "compression": "lzf"}, {"chunks": (7,), "libver": "latest"}]
)
def test_tables_of_pickles_that_cannot_be_read_are_not_checked(options):
    assert reasons(look(pickled([EVIL] * 100, **options), "m.h5")) == {"unsupported-format"}


def test_a_pickle_in_a_data_set_of_a_few_values():
    stream = io.BytesIO()
    with h5py.File(stream, "w") as opened:
        opened.create_dataset("o", data=np.void(EVIL))
        opened.create_dataset("u", data=np.frombuffer(EVIL, "u1"))
        opened.create_dataset("images", data=np.full((10, 10), 0x80, "u1"))
        opened.create_dataset("labels", data=["cat", "dog"] * 50)
    seen = look(stream.getvalue(), "m.h5")
    places = {each.location.member.partition("@")[0] for each in judged(seen) if each.rule == "MLG-PKL-002"}
    assert places == {"o", "u"}
    assert not seen.not_checked


@pytest.mark.parametrize("version", ["earliest", "v110", "latest"])
def test_all_files_of_a_virtual_data_set(version):
    stream = io.BytesIO()
    names = ["../same.h5", "../same.h5", ".", "beside.h5", ".", "../same.h5", "/last.h5"]
    with h5py.File(stream, "w", libver=version if version != "v110" else ("v110", "v110")) as opened:
        layout = h5py.VirtualLayout((len(names), 40), "u1")
        for at, name in enumerate(names):
            layout[at, at : at + 20 : 2] = h5py.VirtualSource(name, "data", (30,))[at : at + 10]
        opened.create_virtual_dataset("v", layout)
        whole = h5py.VirtualLayout((4,), "u1")
        whole[...] = h5py.VirtualSource("whole.h5", "data", (4,))
        opened.create_virtual_dataset("w", whole)
        irregular = h5py.h5s.create_simple((40,))
        irregular.select_hyperslab((1,), (2,))
        irregular.select_hyperslab((7,), (3,), op=h5py.h5s.SELECT_OR)
        mixed = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        mixed.set_virtual(irregular, b"mixed.h5", b"data", irregular)
        h5py.h5d.create(opened.id, b"m", h5py.h5t.NATIVE_UINT8, h5py.h5s.create_simple((40,)), mixed)
    seen = look(stream.getvalue(), "m.h5")
    found = {fact.subject for fact in seen.facts if fact.kind == "hdf5.external"}
    assert found == {"../same.h5", "beside.h5", "/last.h5", "whole.h5", "mixed.h5"}
    assert not seen.not_checked


@pytest.fixture
def library():
    """The library that h5py comes with: some of what it can write, h5py has no name for."""
    found = sorted((Path(h5py.__file__).parent.parent / "h5py.libs").glob("libhdf5-*"))
    if not found:
        pytest.skip("h5py is linked with a library of the system")
    return ctypes.CDLL(str(found[0]))


@pytest.mark.parametrize("most_in_list", [50, 2])
@pytest.mark.parametrize("low", ["earliest", "v18"])
def test_messages_that_objects_share(library, tmp_path, low, most_in_list):
    creation = h5py.h5p.create(h5py.h5p.FILE_CREATE)
    plist = ctypes.c_int64(creation.id)
    assert library.H5Pset_shared_mesg_nindexes(plist, 2) == 0
    assert library.H5Pset_shared_mesg_index(plist, 0, 1 << 12 | 1 << 3, 8) == 0
    assert library.H5Pset_shared_mesg_index(plist, 1, 1 << 1, 8) == 0
    assert library.H5Pset_shared_mesg_phase_change(plist, most_in_list, most_in_list - 1) == 0
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    bounds = {"earliest": h5py.h5f.LIBVER_EARLIEST, "v18": h5py.h5f.LIBVER_V18}
    access.set_libver_bounds(bounds[low], h5py.h5f.LIBVER_LATEST)
    path = tmp_path / "m.h5"
    with h5py.File(h5py.h5f.create(bytes(path), h5py.h5f.ACC_TRUNC, creation, access)) as opened:
        plain(opened)
        for at in range(20):
            group = opened.create_group(f"g{at}")
            for number in range(12):
                group.attrs[f"same {number}"] = np.bytes_(b"the same text")
    data = path.read_bytes()
    assert b"SMTB" in data
    assert ours(data) == theirs(data)
