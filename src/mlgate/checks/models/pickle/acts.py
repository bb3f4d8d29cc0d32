"""The four ways in which a pickle acts: it imports, calls, instantiates and fills."""

from typing import Any

from mlgate.checks.models.pickle import compat, dill_names, graph_source, newobj_ex, tensors
from mlgate.checks.models.pickle.state import Broken, State
from mlgate.checks.models.pickle.values import (
    CONTAINERS,
    CUT,
    KEEP,
    PLAIN,
    Dict,
    Global,
    Made,
    Payload,
    arguments,
    render,
)

_COPYING = frozenset(("copyreg", "copy_reg"))
# They take bytes for a file of any format that PyTorch reads, or for a pickle: which argument that is.
_LOADERS = {
    "torch.storage._load_from_bytes": 0,
    "pickle.loads": 0,
    "_pickle.loads": 0,
    "spacy.vocab.unpickle_vocab": 4,
    "spacy.tokens.doc.unpickle_doc": 1,
}


class Acts(State):
    """State of an unpickler that can act."""

    def find_class(self, module: str, name: str, offset: int) -> Global:
        """Import, as the unpickler's ``find_class`` does."""
        key = (module, name, self.protocol < 3, self.protocol >= 4)
        found = self.recorder.globals.get(key)
        if found is None:
            written = f"{module}.{name}"
            if self.protocol < 3:
                module, name = compat.renamed(module, name)
            found = Global(module, name, written, dotted=self.protocol >= 4 and "." in name)
            found.simple = not (
                found.subject in _LOADERS
                or found.subject in graph_source.SUBJECTS
                or found.subject in dill_names.SUBJECTS
                or found.module in _COPYING
                or found.module in tensors.MODULES
            )
            found.recorder = self.recorder
            self.recorder.globals[key] = found
        self.recorder.imports(found, offset)
        return found

    def reduce(self, callee: Any, args: Any, offset: int, via: str) -> Any:
        """Call ``callee`` with the tuple ``args``."""
        known = args if type(args) is tuple else None
        if known is None and (type(args) in PLAIN or type(args) in CONTAINERS):
            raise Broken("the arguments of a call are no tuple")
        if type(callee) is Global:
            return self._call(callee, known, offset, via)
        if type(callee) in PLAIN or type(callee) in CONTAINERS:
            raise Broken("a value that cannot be called is called")
        new = newobj_ex.made(callee, known)
        if new is not None:
            return self.instance(*new, offset, "__newobj_ex__")
        self.recorder.computed(callee, known, offset, via)
        return Made(callee, known, "call")

    def _call(self, callee: Global, args: tuple[Any, ...] | None, offset: int, via: str) -> Any:
        if callee.module in _COPYING and args:
            if callee.name == "_reconstructor" and len(args) == 3:
                self.recorder.call("call", callee, args, offset, via)
                return self._reconstructed(args, offset)
            if callee.name in ("__newobj__", "__newobj_ex__"):
                self.recorder.call("call", callee, args, offset, via)
                return self.instance(args[0], args[1:], offset, callee.name)
        loads = _LOADERS.get(callee.subject)
        if loads is not None and args and len(args) > loads:
            self._loaded(args[loads], offset)
        if callee.subject in graph_source.SUBJECTS:
            self.graphs.append((offset, args))
        if callee.module in tensors.MODULES:
            found = tensors.problem(callee, args)
            if found is not None:
                self.recorder.note(
                    "impossible-tensor", found, offset, text=f"{render(callee)}({arguments(args)})"
                )
        self.recorder.call("call", callee, args, offset, via)
        named = dill_names.named(callee, args)
        return Made(callee, args, "call") if named is None else self._looked_up(*named, offset)

    def _looked_up(self, module: str, name: str, offset: int) -> Global:
        """Import what a call returns, whose names nothing renames."""
        key = (module, name, False, False)
        found = self.recorder.globals.get(key)
        if found is None:
            found = self.recorder.globals[key] = Global(module, name, f"{module}.{name}", dotted=False)
            found.simple = False
            found.recorder = self.recorder
        self.recorder.imports(found, offset)
        return found

    def _loaded(self, value: Any, offset: int) -> None:
        """Hand on bytes that a loader is given, whatever they look like."""
        encoded = type(value) is Made and value.how == "call" and value.args
        if encoded and (origin := value.origin()) is not None and origin.subject == "_codecs.encode":
            # Below protocol 3 bytes are text that is encoded on loading.
            value = value.args[0]
        if type(value) is Payload:
            encoding = "latin1" if value.kind == "text" else "raw"
            self.add_nested(value.offset, value.size, encoding, loaded=True)
        elif type(value) in (bytes, str):
            data = value.encode("latin-1", "replace") if type(value) is str else value
            self.add_nested(offset, len(data), "raw", data, loaded=True)

    def _reconstructed(self, args: tuple[Any, ...], offset: int) -> Any:
        cls, parent, state = args
        plain = type(parent) is Global and parent.subject in ("builtins.object", "__builtin__.object")
        if not plain and type(parent) is Global:
            # copyreg runs the parent's __new__ and __init__ with the state.
            self.recorder.call("call", parent, (state,), offset, "_reconstructor")
        elif not plain:
            self.recorder.computed(parent, (state,), offset, "_reconstructor")
        return self.instance(cls, (), offset, "_reconstructor")

    def instance(self, cls: Any, args: tuple[Any, ...] | None, offset: int, via: str) -> Any:
        """Make an instance by ``cls.__new__``, without ``__init__``."""
        if type(cls) is Global:
            self.recorder.call("instance", cls, args, offset, via)
        elif type(cls) in PLAIN or type(cls) in CONTAINERS:
            raise Broken("an instance of something that is no class")
        else:
            self.recorder.computed(cls, args, offset, via)
        return Made(cls, args, "instance")

    def fill(self, target: Any, value: Any, offset: int, via: str) -> None:
        """Hand a value to an object's own methods."""
        kind = type(target)
        if kind not in PLAIN and kind not in CONTAINERS:
            if kind is Made and target.built and not via.startswith("SETITEM"):
                # Picklers give the state last. What takes more may be an attribute of that state:
                # __setstate__, append, extend and add are looked up in the object itself.
                self.recorder.computed(target, (CUT,), offset, via)
            self.recorder.fill(target, tuple(value[:KEEP]) if type(value) is list else value, offset, via)
        elif not _fits(kind, via, value):
            raise Broken(f"{via} on a value that does not take it")


def _fits(kind: type, via: str, value: Any) -> bool:
    if via == "BUILD":
        # None, and (None, slots), change nothing that these types have; what is not known may be None.
        known = type(value) in PLAIN or type(value) in CONTAINERS
        return not known or value is None or (type(value) is tuple and len(value) == 2)
    return kind is list or (kind is Dict and via.startswith("SETITEM"))
