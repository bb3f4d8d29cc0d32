import gzip
import hashlib
import io
import os
import pickle
import socket
import zlib

import pytest
from msgspec.structs import replace
from tests.checks.models.building import (
    EVIL,
    NOISE,
    Entry,
    among,
    called,
    elf,
    fat,
    file,
    judged,
    kinds,
    link,
    look,
    macho,
    pe,
    reasons,
    scope,
    small_elf,
    target,
    zipped,
)  # fmt: skip

from mlgate import rules
from mlgate.checks.models import collect
from mlgate.checks.models.links import leaves
from mlgate.checks.models.reader import LimitReached
from mlgate.checks.models.route import Router
from mlgate.checks.models.walk import examine
from mlgate.core.limits import Limits
from mlgate.listing import File
from mlgate.policy.overrides import judge_each
from mlgate.policy.schema import Models, Policy
from mlgate.target import named, working_tree


def paths(seen):
    return [record.path for record in seen.inventory]


FILES = {"models/a.pkl": EVIL, "models/deep/b.bin": NOISE, "other/c.pkl": EVIL, "README.md": b"# text\n"}


@pytest.mark.parametrize(
    ("models", "expected"),
    [
        (Models(), ["models/a.pkl", "models/deep/b.bin", "other/c.pkl"]),
        (Models(include=("models/**",)), ["models/a.pkl", "models/deep/b.bin"]),
        (Models(include=("**/*.pkl",)), ["models/a.pkl", "other/c.pkl"]),
        (Models(include=("*/*.pkl",), exclude=("models/**",)), ["other/c.pkl"]),
        (Models(exclude=("**/*.pkl", "*.bin")), ["models/deep/b.bin"]),
    ],
)
def test_the_policy_says_what_is_looked_at(models, expected):
    assert paths(collect(scope(FILES, models))) == expected


def test_a_pattern_that_matches_nothing_is_not_silence():
    models = Models(include=("models/**", "renamed/**"))
    (item,) = collect(scope(FILES, models)).not_checked
    assert (item.reason, item.subject) == ("nothing-matched", "renamed/**")
    assert not collect(scope(FILES, models, whole=False)).not_checked


def test_a_name_with_a_newline_is_looked_at():
    assert called(collect(scope({"a\nb.pkl": EVIL}))) == {"posix.system"}


def test_the_inventory_says_format_size_digest_and_status():
    seen = collect(scope({"a.pkl": EVIL, "b.npy": b"", "c.txt": b"text"}, limits=Limits(hash_bytes=100)))
    first, second = seen.inventory
    digest = hashlib.sha256(EVIL).hexdigest()
    assert (first.format, first.size, first.sha256, first.status) == ("pickle", len(EVIL), digest, "checked")
    assert (second.path, second.status) == ("b.npy", "not-checked")
    assert collect(scope({"b.bin": NOISE}, limits=Limits(hash_bytes=100))).inventory[0].sha256 is None


def test_progress_is_told():
    told = []
    collect(replace(scope({"a": b"text"}), progress=told.append))
    assert told == ["a"]


@pytest.mark.parametrize(
    "name", ["m.pkl", "m.PKL", "m.pt", "m.safetensors", "m.onnx", "m.npz", "m.h5", "m.joblib"]
)
def test_a_model_that_nothing_can_read_is_not_checked(name):
    assert reasons(look(b"", name)) == {"empty"}
    assert reasons(look(NOISE, name)) == {"unreadable-format"}
    assert collect(scope({name: NOISE})).inventory[0].status == "not-checked"


def test_the_same_holds_for_a_member_of_a_model():
    assert reasons(look(zipped(Entry("m/data.pkl", b""), Entry("m/version", b"3")))) == {"empty"}


@pytest.mark.parametrize("name", ["m.bin", "m.dat", "m", "checkpoint.data-00000-of-00001"])
def test_unknown_content_is_listed_and_no_alarm(name):
    seen = look(NOISE, name)
    assert (seen.facts, seen.not_checked, seen.inventory[0].format) == ((), (), "opaque")


@pytest.mark.parametrize("name", ["a.txt", "model.py", "distutils.pth", "README"])
@pytest.mark.parametrize(
    "data", [b"import os\n", "text é\n".encode(), "Text\n".encode("utf-16"), "é\n".encode("latin-1") * 5000]
)
def test_text_is_not_listed(name, data):
    assert look(data, name) == type(look(data, name))()


@pytest.mark.parametrize(
    ("data", "name", "format_"),
    [
        (b"Rar!\x1a\x07\x01\x00" + NOISE, "m.bin", "rar"),
        (b"MSCF\0\0\0\0" + NOISE, "m.cab", "cabinet"),
        (b"070701" + NOISE, "m.bin", "cpio"),
        (b"hsqs" + NOISE, "m.sqsh", "squashfs"),
        (b"\x89LZO\0\r\n\x1a\n" + NOISE, "m.lzo", "lzop"),
        (b"\x1f\x9d\x90" + NOISE, "m.Z", "compress"),
    ],
)
def test_what_is_recognised_and_not_read_is_not_checked(data, name, format_):
    seen = look(data, name)
    assert reasons(seen) == {"unsupported-format"}
    assert format_ in seen.not_checked[0].message
    assert seen.inventory[0].format == format_


def test_what_is_named_a_tensorflow_graph_and_is_none_is_not_checked():
    assert reasons(look(b"\x08\x01\x12\x04abcd", "saved_model.pb")) == {"unreadable-format"}


def test_no_checkpoints_graph_is_not_checked_and_other_meta_files_are_left_alone():
    assert reasons(look(b"\x0a\x10" + bytes(range(200)), "model.ckpt.meta")) == {"unreadable-format"}
    assert reasons(look(b"fileFormatVersion: 2\n", "scene.meta")) == set()
    assert kinds(look(pickle.dumps({"labels": [1]}), "batches.meta")) == {"core.format", "pickle.stream"}


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"\x89PNG\r\n\x1a\n" + NOISE, "a.png"),
        (b"%PDF-1.4\n" + NOISE, "a.pdf"),
        (b"\xff\xd8\xff\xe0" + NOISE, "a.jpg"),
        (b"\0asm\1\0\0\0" + NOISE, "a.wasm"),
        (elf(), "lib.so"),
        (elf(), "libfoo.so.1.2.3"),
        (elf(), "tool"),
        (pe(), "a.dll"),
        (pe(), "a.exe"),
        (macho(), "a.dylib"),
    ],
)
def test_other_binaries_of_a_repository_are_no_models(data, name):
    seen = look(data, name)
    # A module that Python could import is told to the rules, and to nobody else.
    assert {fact.subject for fact in seen.facts} <= {"its native code"}
    assert (judged(seen), seen.not_checked, seen.inventory) == ((), (), ())


def test_databases_may_hold_pickles():
    assert kinds(look(b"SQLite format 3\0" + NOISE + EVIL + NOISE, "cache.db")) >= {"pickle.call"}
    assert kinds(look(b"SQLite format 3\0" + NOISE, "cache.sqlite")) == set()


@pytest.mark.parametrize(
    "data", [elf(), small_elf(), pe(), macho(), fat()], ids=["elf", "32-bit elf", "pe", "macho", "fat macho"]
)
@pytest.mark.parametrize("name", ["model.bin", "weights.dat", "picture.png"])
def test_a_program_under_another_name_is_found(data, name):
    assert "MLG-BIN-001" in {each.rule for each in judged(look(data, name))}
    assert "MLG-BIN-001" in {each.rule for each in judged(look(NOISE + data, name))}


@pytest.mark.parametrize(
    "data", [b"\x7fELF" + NOISE, b"MZ" + NOISE, b"\xcf\xfa\xed\xfe" + NOISE, b"\xca\xfe\xba\xbe" + NOISE]
)
def test_four_magic_bytes_are_noise(data):
    assert not look(data, "model.bin").facts


@pytest.mark.parametrize("prefix", [b"\0", NOISE, b"\x89PNG\r\n\x1a\n" + NOISE, bytes(1 << 20) + NOISE])
def test_a_pickle_behind_other_bytes_is_found(prefix):
    seen = look(prefix + EVIL, "model.bin")
    assert called(seen) == {"posix.system"}
    assert {fact.location.offset for fact in seen.facts if fact.kind == "pickle.call"} == {
        len(prefix) + len(EVIL) - 2
    }
    assert "posix.system" in called(look(prefix + b"cposix\nsystem\n(S'true'\ntR.", "model.bin"))


def test_vocabularies_in_binary_files_are_no_pickles():
    words = b"\0" + b"".join(b"c%s\nc%s\n(%s\n" % (w, w, w) for w in (b"at", b"ar", b"os", b"opy")) * 100
    assert not look(words + NOISE, "vocab.bin").facts


@pytest.mark.parametrize(
    ("data", "name", "found"),
    [
        (b"\x80\x02}.", "m.safetensors", True),
        (b"\x80\x02}.", "m.png", True),
        (b"\x80\x02}.", "m.txt", True),
        (b"\x80\x02}.", "m.pkl", False),
        (b"\x80\x02}.", "m.bin", False),
        (zipped(Entry("m/data.pkl", b"N."), Entry("m/version", b"3")), "m.pt", False),
        (zipped(Entry("m/data.pkl", b"N."), Entry("m/version", b"3")), "m.h5", True),
        (zipped(Entry("a.txt", b"text")), "m.docx", False),
        (zipped(Entry("a.txt", b"text")), "m.csv", False),
    ],
)
def test_content_against_the_extension(data, name, found):
    rules = {each.rule: each.severity.value for each in judged(look(data, name))}
    assert (rules.get("MLG-COR-001") == "medium") is found


def test_a_file_that_is_two_things_is_read_as_both():
    seen = look(EVIL + zipped(Entry("x.bin", EVIL.replace(b"system", b"execvp"))))
    assert called(seen) == {"posix.system", "posix.execvp"}
    assert [each.severity.value for each in judged(seen) if each.rule == "MLG-COR-004"] == ["medium"]
    assert seen.inventory[0].format == "pickle"


def test_allowed_formats():
    files = {
        "a.pkl": b"\x80\x02}.",
        "b.bin": NOISE,
        "c.txt": b"text",
        "d.docx": zipped(Entry("a.txt", b"text")),
    }
    seen = collect(scope(files))
    assert not judged(seen)
    for allowed, expected in (((), ["a.pkl"]), (("onnx",), ["a.pkl"]), (("pickle",), [])):
        found = judged(seen, Models(allow_formats=allowed))
        assert [each.location.path for each in found if each.rule == "MLG-COR-006"] == expected
        assert all(each.severity.value == "high" for each in found)


@pytest.mark.parametrize(
    ("path", "to", "outside"),
    [
        ("a/l", "../b", False),
        ("a/l", "../../b", True),
        ("l", "/etc/passwd", True),
        ("l", "l", True),
        ("a/l", "in/x", False),
        ("a/l", "in/../../x", False),
        ("a/l", "in/../../../x", True),
        ("a/l", "out/x", True),
        ("a/l", "in/../..", False),
    ],
)
def test_links(path, to, outside):
    files = {
        "b": b"text",
        "a/in": link("a/in", "../deep/er"),
        "a/out": link("a/out", "../../x"),
        path: link(path, to),
    }
    assert leaves(target(files), path, to) is outside
    found = [each.location.path for each in judged(collect(scope(files))) if each.rule == "MLG-REP-002"]
    assert (path in found) is outside


@pytest.mark.parametrize(
    ("models", "path", "to", "whole", "left"),
    [
        (Models(), "m/a.pkl", "../x/evil.pkl", True, None),
        (Models(), "m/a.pkl", "../x/evil.pkl", False, None),
        (Models(exclude=("x/**",)), "m/a.pkl", "../x/evil.pkl", True, "x/evil.pkl"),
        (Models(exclude=("x/**",)), "m/a.pkl", "../x/evil.pkl", False, "x/evil.pkl"),
        (Models(exclude=("x/**",)), "m/a.pkl", "by/evil.pkl", True, "x/evil.pkl"),
        (Models(include=("m/**",)), "m/a.pkl", "../x/evil.pkl", True, "x/evil.pkl"),
        (Models(exclude=("x/deep/**",)), "m/a", "../x", True, "x/deep/y"),
        (Models(exclude=("x/d*/[!y]",)), "m/a", "../x/deep", False, "x/deep/x"),
        (Models(exclude=("**/evil.pkl", "**/y")), "m/a", "../x", True, None),
        (Models(exclude=("m/**", "x/**")), "m/a.pkl", "../x/evil.pkl", True, None),
        (Models(), "m/a", "..", True, None),
        (Models(), "m/a", "../nowhere", True, None),
    ],
)
def test_a_link_to_what_is_left_out_is_not_checked(models, path, to, whole, left):
    files = {"x/evil.pkl": EVIL, "x/deep/y": b"text", "m/by": link("m/by", "../x"), path: link(path, to)}
    seen = collect(scope(files, models, whole=whole))
    gaps = [(gap.reason, gap.message.split(", ")[0]) for gap in seen.not_checked if gap.location.path == path]
    assert gaps == ([("link-target", f"is a link to {left}")] if left else [])


def test_a_link_out_of_the_folder_that_is_named_is_not_checked(tmp_path):
    """The layout of a Hugging Face cache: a snapshot is a folder of links."""
    for folder in ("blobs", "snapshots/1"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "blobs/cafe").write_bytes(EVIL)
    (tmp_path / "snapshots/1/model.pkl").symlink_to("../../blobs/cafe")
    (tmp_path / "snapshots/1/all").symlink_to("../../blobs")
    seen = collect(replace(scope({}), target=named([tmp_path / "snapshots"], tmp_path)))
    assert [(gap.location.path, gap.reason) for gap in seen.not_checked] == [
        ("snapshots/1/all", "link-target"),
        ("snapshots/1/model.pkl", "link-target"),
    ]
    seen = collect(replace(scope({}), target=named([tmp_path], tmp_path)))
    assert not seen.not_checked
    assert called(seen) == {"posix.system"}


ACTS = b"import os\nos.system('true')\n"
NAMES_IT = b'{"model_type": "x", "auto_map": {"AutoModel": "zoo.X"}}'


@pytest.mark.parametrize("changed", ["m/zoo.py", "m/config.json"])
def test_what_a_change_means_is_seen_in_the_files_beside_it(changed):
    """A configuration and the source that it names need not come in one pull request."""
    files = {"m/zoo.py": ACTS, "m/config.json": NAMES_IT, "m/old.pkl": EVIL, "n/modeling_x.py": ACTS}
    seen = collect(among(files, changed))
    assert changed in {fact.location.path for fact in seen.facts}
    assert {record.path for record in seen.inventory} <= {changed}
    found = judge_each(rules.load(), seen.facts, Policy(version=1), seen.context)
    assert ("m/zoo.py", "MLG-HFR-004") in {(each.location.path, each.rule) for each in found}
    assert not {each.location.path for each in found} - {"m/zoo.py", "m/config.json"}


def test_beside_a_change_that_says_nothing_no_file_is_read():
    files = {"m/a.txt": b"text", "m/zoo.py": ACTS, "m/config.json": NAMES_IT}
    assert not collect(among(files, "m/a.txt")).context
    assert not collect(among(files, "m/zoo.py", Models(exclude=("**/*.json",)))).context


def test_links_and_special_files_of_a_real_folder(tmp_path, monkeypatch):
    (tmp_path / "repo").mkdir()
    (tmp_path / "secret.pkl").write_bytes(EVIL)
    (tmp_path / "repo" / "out.pkl").symlink_to(tmp_path / "secret.pkl")
    (tmp_path / "repo" / "in").symlink_to("a.txt")
    (tmp_path / "repo" / "a.txt").write_text("text")
    os.mkfifo(tmp_path / "repo" / "pipe")
    with socket.socket(socket.AF_UNIX) as plug:
        # A socket's path must be short.
        monkeypatch.chdir(tmp_path / "repo")
        plug.bind("socket")
        seen = collect(replace(scope({}), target=working_tree(tmp_path / "repo")))
    assert [fact.location.path for fact in seen.facts] == ["out.pkl"]
    assert [(item.location.path, item.reason) for item in seen.not_checked] == [
        ("pipe", "special-file"),
        ("socket", "special-file"),
    ]


def test_a_file_that_cannot_be_opened_is_not_checked_and_the_run_goes_on():
    def refuse():
        raise PermissionError(13, "Permission denied")

    seen = collect(scope({"a.pkl": File(path="a.pkl", size=9, kind="file", open=refuse), "b.pkl": EVIL}))
    assert [(item.location.path, item.reason) for item in seen.not_checked] == [("a.pkl", "unreadable")]
    assert called(seen) == {"posix.system"}


class Stub:
    """A reader that does as it is told."""

    KIND = "model"
    ORDER = 1

    def __init__(self, act, name="stub"):
        self.FORMAT = name
        self.act = act

    def sniff(self, blob):
        return True

    def read(self, blob, limits, clock):
        yield blob.fact("stub.seen")
        self.act()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("x"), "reader-failed"),
        (RecursionError(), "reader-failed"),
        (MemoryError(), "limit"),
        (OSError(5, "Input/output error"), "unreadable"),
        (LimitReached("opcodes"), "limit"),
        (LimitReached("file_seconds"), "timeout"),
    ],
)
def test_a_reader_that_fails_is_walled_in(error, reason):
    def fail():
        raise error

    from mlgate.checks.models.reader import Blob
    from mlgate.core.facts import Location

    blob = Blob(
        location=Location("m.bin"), stream=io.BytesIO(NOISE), size=len(NOISE), head=NOISE[:4096], name="m.bin"
    )
    seen = examine(blob, Router((Stub(fail), Stub(lambda: None, "second"))), Limits())
    assert [item.reason for item in seen.not_checked] == [reason]
    assert [fact.kind for fact in seen.facts][:1] == ["stub.seen"]
    # A limit of the whole file ends it; anything else leaves the other readers their say.
    assert (len(seen.facts) > 1) is (reason != "timeout")


def test_facts_are_counted():
    seen = look(zipped(*(Entry(f"../{n}", b"text") for n in range(50))), facts=20)
    assert reasons(seen) == {"limit"}
    assert len(seen.facts) == 20


class Counting(io.RawIOBase):
    """A gigabyte of zeros with a little content, which counts what is read of it."""

    def __init__(self, size, pieces, counts):
        self.size, self.pieces, self.at, self.counts = size, pieces, 0, counts

    def readable(self):
        return True

    def seekable(self):
        return True

    def seek(self, offset, whence=0):
        self.at = offset + (0, self.at, self.size)[whence]
        return self.at

    def tell(self):
        return self.at

    def read(self, size=-1):
        size = max(min(size if size >= 0 else self.size, self.size - self.at), 0)
        self.counts.append(size)
        data = bytearray(size)
        for place, piece in self.pieces.items():
            start, stop = max(place, self.at), min(place + len(piece), self.at + size)
            if start < stop:
                data[start - self.at : stop - self.at] = piece[start - place : stop - place]
        self.at += size
        return bytes(data)


def large(size, pieces):
    counts = []
    made = File(path="large.bin", size=size, kind="file", open=lambda: Counting(size, pieces, counts))
    return collect(scope({"large.bin": made})), counts


def test_a_large_unknown_file_is_searched_at_both_ends_in_small_pieces():
    seen, counts = large(1 << 30, {0: NOISE, (1 << 30) - 1000: EVIL})
    assert called(seen) == {"posix.system"}
    assert max(counts) <= (1 << 20) + 4096
    assert sum(counts) <= (64 << 20) + (2 << 20)


def test_the_numbers_of_a_large_archive_are_not_read():
    big = 1 << 30
    tensor = Entry("m/data/0", packed=b"")
    fields = {"packed": big, "size": big}
    data = zipped(
        Entry("m/data.pkl", b"\x80\x02}."),
        Entry("m/version", b"3\n"),
        Entry("m/data/0", packed=b"", local=fields, central=fields),
    )
    split = data.index(b"PK\1\2")
    assert tensor.payload == b""
    # Move the directory behind a gigabyte that is not there.
    end = bytearray(data[split:])
    place = end.index(b"PK\5\6") + 16
    end[place : place + 4] = (split + big).to_bytes(4, "little")
    seen, counts = large(split + big + len(end), {0: data[:split], split + big: bytes(end)})
    assert (seen.inventory[0].format, judged(seen), seen.not_checked) == ("torch", (), ())
    assert sum(counts) < 1 << 20


def test_a_symlinked_name_is_no_reason_to_read(tmp_path):
    assert kinds(collect(scope({"a": link("a", "b"), "b": file("b", EVIL)}))) >= {"pickle.call"}


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(b"", mtime=0) * 50,
        (gzip.compress(b"", mtime=0) + bytes(9)) * 50,
        zlib.compress(b"") * 50,
        b"\0" + b"\x7fELF" * 50,
        b"\0" + b"\x80\x02]" * 50,
        b"\x08\x08" + b"\x3a\x02\x0a\x00" * 50 + b"\x42\x00",
        b"N." * 50,
    ],
    ids=["gzip", "padded gzip", "zlib", "executables", "pickles", "graphs", "streams"],
)
def test_a_multitude_in_one_file_is_bounded(data):
    assert "limit" in reasons(look(data, "x.bin", members=20))
    assert "limit" not in reasons(look(data, "x.bin"))
