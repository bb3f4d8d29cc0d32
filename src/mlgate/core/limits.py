"""Every limit on what hostile input may cost, in one place.

A limit that is hit makes its subject "not checked": never clean, never malicious.
"""

from typing import Annotated

from msgspec import Meta, Struct

Positive = Annotated[int, Meta(ge=1)]


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """Limits of a run; a policy may change each.

    Attributes:
        file_seconds: Wall time for one model file, all its members included.
        inflated_bytes: Bytes that all members of one file may decompress to.
        ratio: Decompressed over compressed size of one member.
        members: Members of one file, nested ones included.
        depth: Containers inside containers.
        opcodes: Pickle opcodes in one stream.
        stack: Values on a pickle's stack, and entries of its memo.
        facts: Facts from one file.
        header_bytes: A header or metadata section that is parsed whole.
        text_bytes: A configuration, template or source text that is parsed whole.
        search_bytes: Bytes of a file of no known format that are searched for pickles
            and executables: half from its start, half from its end.
        memory_bytes: What a worker of the model check may allocate, where the system knows such limits.
        hash_bytes: Files up to this size get a SHA-256 in the inventory.
        manifest_bytes: One manifest, lock file or policy.
        manifests: Manifests of one run, includes counted.
        requirements: Requirements in one manifest.
        data_bytes: One data file of an assessment.
        worker_bytes: Address space of an assessment's worker.
    """

    file_seconds: Positive = 120
    inflated_bytes: Positive = 4 << 30
    ratio: Positive = 2000
    members: Positive = 100_000
    depth: Positive = 8
    opcodes: Positive = 50_000_000
    stack: Positive = 2_000_000
    facts: Positive = 2_000
    header_bytes: Positive = 32 << 20
    text_bytes: Positive = 16 << 20
    search_bytes: Positive = 64 << 20
    memory_bytes: Positive = 2 << 30
    hash_bytes: Positive = 64 << 20
    manifest_bytes: Positive = 32 << 20
    manifests: Positive = 1_000
    requirements: Positive = 100_000
    data_bytes: Positive = 1 << 30
    worker_bytes: Positive = 16 << 30


DEFAULT = Limits()
