"""YAML as nodes with their lines: every scalar is text, and nothing is constructed.

Aliases are refused: they are what makes a small file large. Depth and size are bounded.
"""

from msgspec import Struct

from mlgate.checks.dependencies.manifest import Unreadable, shown

_DEPTH = 40
_BYTES = 2 << 20
# A lock file of 3,000 packages has some 100,000. More would take more memory than a file is worth.
_NODES = 250_000


class Node(Struct):
    """A node.

    Attributes:
        line: 1-based.
        text: Of a scalar, as written; None for a collection.
        items: Of a sequence.
        pairs: Of a mapping, in file order; a key may stand twice.
    """

    line: int
    text: str | None = None
    items: "list[Node] | None" = None
    pairs: "list[tuple[Node, Node]] | None" = None

    def all(self, key: str) -> "list[Node]":
        """Return the values of a key: the last one is what YAML readers take, and all are said."""
        return [value for name, value in self.pairs or () if name.text == key]


def load(data: bytes, most: int = _BYTES) -> Node:
    """Return the root node of the only document.

    Args:
        data: The file.
        most: Bytes that it may have.

    Raises:
        Unreadable: It is not plain YAML of one document, or too large.
    """
    import yaml  # noqa: PLC0415 - only YAML manifests need it

    if len(data) > most:
        raise Unreadable("limit", f"is larger than {most} bytes, which no such file is; shorten it")
    try:
        text = data.decode("utf-8-sig")
    except ValueError as error:
        raise Unreadable("unparseable", "is not text in UTF-8; save it as UTF-8") from error
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    open_nodes: list[tuple[Node, list[Node]]] = []
    roots: list[Node] = []
    count = 0
    try:
        for event in yaml.parse(text, Loader=loader):
            line = event.start_mark.line + 1 if event.start_mark else 1
            if isinstance(event, yaml.AliasEvent):
                raise Unreadable(
                    "unparseable", f"uses the alias *{shown(str(event.anchor), 40)}; write it out", line
                )
            node = None
            if isinstance(event, yaml.ScalarEvent):
                node = Node(line, text=event.value)
            elif isinstance(event, yaml.CollectionStartEvent):
                if len(open_nodes) >= _DEPTH:
                    raise Unreadable("unparseable", "is nested too deeply to be such a file", line)
                open_nodes.append((Node(line), []))
            elif isinstance(event, yaml.CollectionEndEvent):
                node, children = open_nodes.pop()
                if isinstance(event, yaml.MappingEndEvent):
                    node.pairs = list(zip(children[::2], children[1::2], strict=True))
                else:
                    node.items = children
            if node is not None:
                count += 1
                if count > _NODES:
                    raise Unreadable(
                        "limit", f"holds more than {_NODES} values; exclude it, or shorten it", line
                    )
                (open_nodes[-1][1] if open_nodes else roots).append(node)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "it cannot be read"
        raise Unreadable(
            "unparseable", f"is not valid YAML: {shown(str(problem))}", mark.line + 1 if mark else None
        ) from error
    if len(roots) != 1:
        how = "is empty" if not roots else "holds more than one document"
        raise Unreadable("unparseable", f"{how}; one mapping is expected")
    return roots[0]
