from mlgate.checks.models import tables
from mlgate.checks.models.route import readers


def test_every_reader_has_its_own_format_and_an_order():
    found = readers()
    assert len({reader.FORMAT for reader in found}) == len(found)
    assert [reader.ORDER for reader in found] == sorted(reader.ORDER for reader in found)


def test_an_extension_that_must_be_readable_names_a_format_that_something_knows():
    known = {reader.FORMAT for reader in readers()} | {magic.format for magic in tables.magics()}
    for extension, promise in tables.promises().items():
        if promise.closed:
            assert promise.unread or promise.formats & known, extension


def test_magics_are_not_empty_and_inert_ones_have_extensions():
    for magic in tables.magics():
        assert len(magic.magic) >= 2
        assert magic.extensions
        assert magic.magic != b"PK\3\4"


def test_names_of_native_code():
    for name in ("a.so", "a.so.1.2", "liba-1.2.so.3-x", "a.dll", "tool", "python3.11"):
        assert tables.is_native_name(name)
    for name in ("a.bin", "a.pt", "so.txt", "weights.dat"):
        assert not tables.is_native_name(name)
