"""Tell what CPython's C unpickler looks up in the streams on standard input; nothing real is ever found.

Each stream is preceded by its length in four little-endian bytes. For each, one line of JSON
comes back: the names handed to ``find_class``, in order, and the error or null.
"""

import _pickle
import io
import json
import resource
import sys

resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
resource.setrlimit(resource.RLIMIT_CPU, (120, 120))
sys.setrecursionlimit(400)


class InertType(type):
    def __setitem__(cls, key, value):
        pass

    def __call__(cls, *args, **kwargs):
        return cls.__new__(cls)


class Inert(metaclass=InertType):
    def __new__(cls, *args, **kwargs):
        return object.__new__(cls)

    def __call__(self, *args, **kwargs):
        return Inert()

    def __setitem__(self, key, value):
        pass

    def accept(*args, **kwargs):
        return None

    __setstate__ = append = extend = add = accept


class Recorder(_pickle.Unpickler):
    def __init__(self, stream, **options):
        super().__init__(stream, **options)
        self.seen = []

    def find_class(self, module, name):
        self.seen.append([module, name])
        return Inert

    def persistent_load(self, pid):
        return Inert()


def main():
    source = sys.stdin.buffer
    while header := source.read(4):
        data = source.read(int.from_bytes(header, "little"))
        reader = Recorder(io.BytesIO(data), encoding="latin1")
        error = None
        try:
            reader.load()
        except Exception as problem:  # noqa: BLE001 - whatever the stream provokes
            error = f"{type(problem).__name__}: {problem}"
        sys.stdout.write(json.dumps([reader.seen, error]) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
