"""What single libraries write into pickles, and what the same calls must not be given."""

import pytest

from mlgate.rules._globals import callable_with, category

ARRAY = {"type": "call", "value": "numpy._core.numeric._frombuffer"}
SYSTEM = {"type": "global", "value": "posix.system"}
RECONSTRUCT = {"type": "global", "value": "numpy._core.multiarray._reconstruct"}
EMPTY = {"type": "tuple", "items": []}
NONE = {"type": "none", "value": None}


@pytest.mark.parametrize(
    ("module", "name", "args", "answer"),
    [
        ("nltk.probability", "FreqDist", [{"type": "dict", "items": []}], True),
        ("nltk.probability", "FreqDist", [{"type": "instance", "value": "acme.Evil"}], False),
        ("spacy.strings", "StringStore", [{"type": "list", "items": []}], True),
        ("spacy.vectors", "unpickle_vectors", [{"type": "bytes", "value": ""}], True),
        ("spacy.vectors", "unpickle_vectors", [{"type": "instance", "value": "acme.Evil"}], False),
        ("statsmodels.tsa.statespace._initialization", "dInitialization", [ARRAY], True),
        ("pyarrow.lib", "_restore_array", [{"type": "nested"}], True),
        ("pyarrow.lib", "_restore_array", [SYSTEM], False),
        ("dill._dill", "_create_array", [RECONSTRUCT, EMPTY, EMPTY, NONE], True),
        ("dill._dill", "_create_array", [SYSTEM, EMPTY, EMPTY, NONE], False),
    ],
)
def test_what_a_library_writes_is_told_from_what_it_does_not(module, name, args, answer):
    assert callable_with(module, name, args) is answer


def test_the_metadata_of_distributed_checkpoints_is_data():
    assert category("torch.distributed.checkpoint.metadata", "Metadata") is None
    assert category("torch.distributed.rpc", "rpc_sync") == "executes"
    assert category("torch.distributed.checkpoint", "load") == "loads"
