"""Write flatbuffers by a schema, in the order in which they are read."""

import struct

from mlgate.checks.models.formats._flat import _SIZES, schema


def build(name, root, value, identifier, *, room=0, base=8):
    """Return the bytes of a flatbuffer.

    Args:
        name: Of the schema.
        root: Its root table.
        value: Fields by name: numbers, text, bytes, lists, dicts for tables, and
            ``(table, dict)`` for a member of a union.
        identifier: Four bytes.
        room: Bytes between the identifier and the first table.
        base: Where the root's table may begin at the earliest.
    """
    out = bytearray(base + room)
    out[4:8] = identifier
    place = _table(out, schema(name), root, value)
    out[:4] = struct.pack("<I", place)
    return bytes(out)


def _pad(out, to):
    out.extend(bytes(-len(out) % to))


def _table(out, tables, kind, value):
    fields = tables.get(kind, {})
    names = {field: number for number, (field, _) in fields.items()}
    unknown = value.keys() - names.keys()
    assert not unknown, unknown
    value = dict(value)
    for field, (_, type_) in ((field, fields[names[field]]) for field in list(value)):
        if type_.startswith("<"):
            members = tables[type_[1:]]
            chosen = value[field][0]
            value[field + "_type"] = next(number for number, (_, each) in members.items() if each == chosen)
    numbers = [names[field] for field in value]
    places, size = {}, 4
    for field in value:
        width = _SIZES.get(fields[names[field]][1], 4)
        size += -size % width
        places[field] = size
        size += width
    layout = [0] * (max(numbers, default=-1) + 1)
    for field, place in places.items():
        layout[names[field]] = place
    _pad(out, 8)
    start = len(out)
    out.extend(struct.pack(f"<HH{len(layout)}H", 4 + 2 * len(layout), size, *layout))
    _pad(out, 8)
    table = len(out)
    out.extend(struct.pack("<i", table - start) + bytes(size - 4))
    for field, place in places.items():
        at, type_ = table + place, fields[names[field]][1]
        if type_ in _SIZES:
            struct.pack_into("<" + type_, out, at, value[field])
        else:
            _point(out, at, _content(out, tables, type_, value[field]))
    return table


def _point(out, at, to):
    struct.pack_into("<I", out, at, to - at)


def _content(out, tables, type_, value):
    if type_.startswith("<"):
        return _table(out, tables, *value)
    if not type_.startswith("[") and type_ != "str":
        return _table(out, tables, type_, value)
    kind = type_.strip("[]")
    _pad(out, 8)
    start = len(out)
    if type_ == "str" or isinstance(value, bytes):
        data = value.encode() if isinstance(value, str) else value
        width = int(kind[1:]) if kind.startswith("*") else 1
        out.extend(struct.pack("<I", len(data) // width) + data + b"\0")
        return start
    out.extend(struct.pack("<I", len(value)))
    if kind in _SIZES:
        out.extend(struct.pack(f"<{len(value)}{kind}", *value))
        return start
    out.extend(bytes(4 * len(value)))
    for index, each in enumerate(value):
        _point(out, start + 4 + 4 * index, _content(out, tables, kind, each))
    return start
