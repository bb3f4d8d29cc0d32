"""Build TensorFlow graphs, in both forms, for the tests."""

from tests.checks.models.formats.test_onnx import message, number

STRING, FLOAT = 7, 1


class Node:
    """A node: ``attrs`` are (key, binary AttrValue, text AttrValue)."""

    def __init__(self, op, name="n", inputs=(), attrs=()):
        self.op, self.name, self.inputs, self.attrs = op, name, inputs, attrs

    def binary(self, field=1):
        attrs = [message(5, message(1, key), message(2, value)) for key, value, _ in self.attrs]
        inputs = [message(3, each) for each in self.inputs]
        return message(field, message(1, self.name), message(2, self.op), *inputs, *attrs)

    def text(self, field="node"):
        attrs = "".join(f' attr {{ key: "{key}" value {{ {value} }} }}\n' for key, _, value in self.attrs)
        inputs = "".join(f' input: "{each}"\n' for each in self.inputs)
        return f'{field} {{\n name: "{self.name}"\n op: "{self.op}"\n{inputs}{attrs}}}\n'


def dtype(key="T", kind=STRING):
    return (key, number(6, kind), f"type: {'DT_STRING' if kind == STRING else 'DT_FLOAT'}")


def constant(*texts, name="path"):
    values = b"".join(message(8, text) for text in texts)
    shown = " ".join(f'string_val: "{text}"' for text in texts)
    tensor = message(8, number(1, STRING), message(2), values)
    return Node(
        "Const",
        name,
        attrs=[("value", tensor, f"tensor {{ dtype: DT_STRING {shown} }}"), dtype("dtype")],
    )


def weights(name="w"):
    tensor = message(8, number(1, FLOAT), message(2), message(4, bytes(range(256)) * 8))
    return Node("Const", name, attrs=[("value", tensor, "tensor { dtype: DT_FLOAT }"), dtype("dtype", FLOAT)])


def text_attribute(key, *texts):
    if len(texts) == 1:
        return (key, message(2, texts[0]), f's: "{texts[0]}"')
    return (
        key,
        message(1, *(message(2, text) for text in texts)),
        "list { " + " ".join(f's: "{text}"' for text in texts) + " }",
    )


def function(*nodes, name="f"):
    return message(1, message(1, message(1, name)), *(node.binary(3) for node in nodes))


def graph(*nodes, functions=()):
    library = [message(2, *functions)] if functions else []
    return b"".join(node.binary() for node in nodes) + b"".join(library) + message(4, number(1, 1395))


def meta_graph(*nodes, functions=(), more=()):
    return message(1, message(5, "2.9.0")) + message(2, graph(*nodes, functions=functions)) + b"".join(more)


def saved_model(*nodes, functions=(), more=()):
    return number(1, 1) + message(2, meta_graph(*nodes, functions=functions, more=more))


def text_graph(*nodes, functions=()):
    library = "".join(
        f'library {{ function {{ signature {{ name: "{name}" }} '
        + "".join(node.text("node_def") for node in body)
        + "} }\n"
        for name, body in functions
    )
    return "".join(node.text() for node in nodes) + library + "versions { producer: 1395 }\n"


def text_saved_model(*nodes, functions=()):
    return (
        "saved_model_schema_version: 1\nmeta_graphs {\n meta_info_def { stripped_op_list { } }\n graph_def {\n"
        f"{text_graph(*nodes, functions=functions)} }}\n}}\n"
    )


# What every SavedModel that computes and can be saved again holds.
HONEST = (
    weights(),
    Node("Placeholder", "x"),
    Node("MatMul", "y", ["x", "w"], [dtype("T", FLOAT)]),
    Node("Placeholder", "saver_filename", attrs=[dtype("dtype")]),
    constant("/part", name="part"),
    Node("StringJoin", "join", ["saver_filename", "part"]),
    Node("ShardedFilename", "shard", ["join", "i", "n"]),
    Node("SaveV2", "save", ["shard", "names", "slices", "w"]),
    Node("MergeV2Checkpoints", "merge", ["shard", "saver_filename"]),
    Node("RestoreV2", "restore", ["saver_filename", "names", "slices"]),
    constant("assets/vocab.txt", name="vocab"),
    Node("InitializeTableFromTextFileV2", "table", ["t", "vocab"]),
    Node("Assert", "assert", ["x"]),
    Node("PrintV2", "print", ["vocab"], [text_attribute("output_stream", "stderr")]),
    Node("StatefulPartitionedCall", "call", ["x"]),
)
