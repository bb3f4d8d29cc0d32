"""The keys under which the Hugging Face libraries look for what they load and run."""

import re
from functools import cache

from mlgate.checks.models.configs._yaml import text_with
from mlgate.checks.models.json_members import mentions
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.secrets import secrets
from mlgate.checks.models.text import read_text
from mlgate.core.limits import Limits

# Keys of which one, at the top of a document, makes it a model's configuration.
MODEL = frozenset(
    {
        "_class_name",
        "_diffusers_version",
        "_name_or_path",
        "architectures",
        "auto_map",
        "base_model_name_or_path",
        "chat_template",
        "feature_extractor_type",
        "image_processor_type",
        "model_type",
        "peft_type",
        "processor_class",
        "tokenizer_class",
        "torch_dtype",
        "transformers_version",
    }
)
# LangChain renders the texts under these keys with Jinja, where a prompt asks for it.
PROMPTS = frozenset({"template", "prefix", "suffix"})
# Where a value that looks like a repository has its kernels fetched and imported.
KERNELS = frozenset(
    {
        "_attn_implementation",
        "_attn_implementation_internal",
        "_experts_implementation",
        "_experts_implementation_internal",
        "attn_implementation",
        "experts_implementation",
    }
)
# Where a model that looks things up has its index and its texts, which datasets and faiss open.
INDEXES = frozenset({"index_path", "passages_path"})
# Classes that sentence-transformers imports by their names.
ACTIVATIONS = frozenset({"activation_fn", "activation_function", "sbert_ce_default_activation_function"})
# Converters of fairseq checkpoints evaluate these (CVE-2025-14926).
EVALUATED = frozenset({"conv_feature_layers", "extractor_conv_feature_layers", "latent_conv_feature_layers"})
# Keys that hold numbers, in words that end so or begin so; converters have evaluated them.
NUMERIC_ENDS = (
    "_size",
    "_dim",
    "_layers",
    "_heads",
    "_eps",
    "_prob",
    "_dropout",
    "_rate",
    "_length",
    "_theta",
)
NUMERIC_STARTS = ("num_", "n_", "max_", "min_")
# A document without any of these has the libraries load nothing. None is a word of a vocabulary.
_WORDS = (
    "trust_remote_code",
    "auto_map",
    "chat_template",
    "custom_pipeline",
    "attn_implementation",
    "experts_implementation",
    "conv_feature_layers",
    "weight_map",
    "parent_library",
    "template_format",
    '"_class_name"',
    '"_blocks_class_name"',
    '"index_path"',
    '"passages_path"',
)


def telling(blob: Blob, limits: Limits, clock: Clock, *, always: bool) -> str:
    """Return the text of a document that the libraries may take something from.

    Vocabularies have tens of megabytes, and any ordinary word in them: those are not parsed.

    Args:
        blob: The document.
        limits: Of the policy.
        clock: Of the file.
        always: True where the name says enough.

    Raises:
        Declined: It says nothing to the libraries.
        LimitReached: It may, and is longer than ``limits.text_bytes``.
    """
    if blob.size > limits.text_bytes:
        return text_with(blob, _strong().search, limits, clock)
    text = read_text(blob, limits)
    if always or mentions(text, _WORDS):
        return text
    if mentions(text, ('"types"',)) and mentions(text, ('"structure"',)):
        return text
    if '"idx"' in text and blob.head.lstrip(_SPACE)[:1] == b"[":
        return text
    if "activation_f" in text and _activation().search(text) is not None:
        return text
    model = any(f'"{key}"' in text for key in MODEL)
    if model and (code().search(text) is not None or next(secrets(text), None) is not None):
        return text
    raise Declined


_SPACE = b" \t\r\n\xef\xbb\xbf\xff\xfe\0"


@cache
def code() -> re.Pattern[str]:
    """Return what tells code from numbers; expressions such as ``4 * hidden`` are no code."""
    return re.compile(
        r"__\w+__|\blambda\b[^:\"]{0,50}:|\b(?:exec|eval|open|compile|getattr|import_module|system|popen)\s?\(",
        re.ASCII,
    )


@cache
def _activation() -> re.Pattern[str]:
    return re.compile(r"activation_f(?:n|unction)\"\s{0,9}:\s{0,9}\"[^\"]{0,200}\.")


@cache
def _strong() -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, _WORDS)))
