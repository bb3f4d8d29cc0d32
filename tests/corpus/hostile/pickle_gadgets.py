"""Every callable of the collection, called the plain way, in turn by each opcode that calls."""

from collections.abc import Iterator

from tests.corpus.assemble import Global, many, named, pickled, push, stacked
from tests.corpus.hostile._gadgets import MILD, PACKAGES, STANDARD
from tests.corpus.sample import Sample

FILES = (
    "model.pkl",
    "weights.bin",
    "model.joblib",
    "checkpoint.pt",
    "clf.sav",
    "state.dat",
    "model.p",
    "data.pickle",
)


def plain(module: str, name: str, args: tuple) -> bytes:
    return pickled(named(module, name) + many(*args) + b"R", 2)


def ascii_form(module: str, name: str, args: tuple) -> bytes:
    return pickled(named(module, name) + many(*args, ascii_only=True) + b"R", 0)


def modern(module: str, name: str, args: tuple) -> bytes:
    return pickled(stacked(module, name) + many(*args) + b"R", 4)


def inst(module: str, name: str, args: tuple) -> bytes:
    return pickled(b"(" + b"".join(push(each) for each in args) + f"i{module}\n{name}\n".encode(), 1)


def obj(module: str, name: str, args: tuple) -> bytes:
    return pickled(b"(" + named(module, name) + b"".join(push(each) for each in args) + b"o", 3)


FORMS = (plain, ascii_form, modern, inst, obj)


def _has_raw(value: object) -> bool:
    if isinstance(value, bytes | Global) or type(value).__name__ == "Call":
        return True
    return isinstance(value, list | tuple) and any(_has_raw(each) for each in value)


def samples() -> Iterator[Sample]:
    for family, gadgets in (("pickle: standard library", STANDARD), ("pickle: packages", PACKAGES)):
        for index, (module, name, args) in enumerate(gadgets):
            # A dotted name is only walked from protocol 4.
            form = modern if "." in name else FORMS[index % len(FORMS)]
            if form is ascii_form and _has_raw(args):
                form = plain
            data = form(module, name, args)
            # INST and OBJ make an instance where there is nothing to pass.
            expect = "medium" if (module, name) in MILD else "high"
            yield Sample(
                family,
                f"{module}.{name} {form.__name__}",
                f"the unpickler calls {module}.{name}",
                {FILES[index % len(FILES)]: data},
                expect,
            )
