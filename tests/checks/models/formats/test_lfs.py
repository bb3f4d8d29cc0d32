import pytest
from tests.checks.models.building import format_of, look, reasons

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 12345\n" % (b"ab" * 32)


@pytest.mark.parametrize(
    "data",
    [
        POINTER,
        POINTER.replace(b"git-lfs.github.com", b"hawser.github.com"),
        POINTER.replace(b"oid", b"ext-0-foo sha256:%s\noid" % (b"cd" * 32)),
    ],
)
@pytest.mark.parametrize("name", ["model.pkl", "picture.png", "noextension"])
def test_a_pointer_is_not_checked(data, name):
    seen = look(data, name)
    assert reasons(seen) == {"lfs-pointer"}
    assert format_of(seen) == "lfs"
    assert not seen.facts
    assert "git lfs pull" in seen.not_checked[0].message


@pytest.mark.parametrize(
    "data",
    [
        POINTER.replace(b"sha256", b"md5"),
        POINTER + b"and more\n",
        POINTER.replace(b"spec/v1", b"spec/v2"),
        b"version https://git-lfs.github.com/spec/v1\n",
        POINTER + b"x" * 1024,
    ],
)
def test_text_that_resembles_a_pointer_is_text(data):
    seen = look(data, "notes.txt")
    assert (seen.not_checked, seen.inventory) == ((), ())
