"""The keys under which the Hugging Face libraries look for what they load and run."""

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
# A document without any of these says nothing to the libraries.
WORDS = (
    "trust_remote_code",
    "auto_map",
    "chat_template",
    "custom_pipeline",
    "attn_implementation",
    "experts_implementation",
    "conv_feature_layers",
    "weight_map",
    "activation_f",
    "parent_library",
    '"idx"',
    *(f'"{key}"' for key in sorted(MODEL)),
)
