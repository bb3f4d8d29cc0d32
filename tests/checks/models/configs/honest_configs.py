"""Configurations as the Hugging Face libraries write them: none of them is an alarm."""

from tests.checks.models.configs.honest_templates import TEMPLATES

CONFIGS = {
    "bert/config.json": {
        "architectures": ["BertForMaskedLM"], "attention_probs_dropout_prob": 0.1, "gradient_checkpointing": False,
        "hidden_act": "gelu", "hidden_size": 768, "model_type": "bert", "transformers_version": "4.6.0.dev0",
        "vocab_size": 30522, "id2label": {"0": "LABEL_0", "1": "LABEL_1"},
    },
    "llama/config.json": {
        "architectures": ["LlamaForCausalLM"], "hidden_act": "silu", "model_type": "llama", "torch_dtype": "bfloat16",
        "rope_scaling": {"factor": 8.0, "rope_type": "llama3"}, "_attn_implementation_autoset": True,
        "attn_implementation": "flash_attention_2", "_name_or_path": "/mnt/data/llama", "transformers_version": "4.43.0",
    },
    "qwen/tokenizer_config.json": {
        "added_tokens_decoder": {"151643": {"content": "<|endoftext|>", "special": True}}, "bos_token": None,
        "chat_template": TEMPLATES["qwen with tools and thinking"], "model_max_length": 131072,
        "tokenizer_class": "Qwen2Tokenizer", "unk_token": None, "trust_remote_code": False,
    },
    "command/tokenizer_config.json": {
        "chat_template": [
            {"name": "default", "template": TEMPLATES["chatml"]},
            {"name": "tool_use", "template": TEMPLATES["llama-3 with tools"]},
        ],
        "tokenizer_class": "CohereTokenizer",
    },
    "llava/chat_template.json": {"chat_template": TEMPLATES["multimodal"]},
    "whisper/preprocessor_config.json": {
        "chunk_length": 30, "feature_extractor_type": "WhisperFeatureExtractor", "processor_class": "WhisperProcessor",
        "mel_filters": [[0.0, 0.1], [0.2, 0.3]],
    },
    "clip/config.json": {
        "architectures": ["CLIPModel"], "model_type": "clip", "text_config": {"model_type": "clip_text_model"},
        "vision_config": {"hidden_act": "quick_gelu", "_attn_implementation": "sdpa"},
    },
    "sd-xl/model_index.json": {
        "_class_name": "StableDiffusionXLPipeline", "_diffusers_version": "0.19.0.dev0",
        "force_zeros_for_empty_prompt": True, "add_watermarker": None, "feature_extractor": [None, None],
        "image_encoder": [None, None], "scheduler": ["diffusers", "EulerDiscreteScheduler"],
        "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
        "text_encoder": ["transformers", "CLIPTextModel"], "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "AutoencoderKL"],
    },
    "sd-xl/unet/config.json": {
        "_class_name": "UNet2DConditionModel", "_diffusers_version": "0.19.0.dev0", "act_fn": "silu",
        "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"], "block_out_channels": [320, 640],
        "up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D"],
    },
    "sd-onnx/model_index.json": {
        "_class_name": "OnnxStableDiffusionPipeline", "_diffusers_version": "0.6.0",
        "unet": ["diffusers", "OnnxRuntimeModel"], "trained_betas": ["a", "b", "c"],
    },
    "scans/model_index.json": {"schema": 1, "bounds": [[0, 0], [1, 1]], "notices": ["labels, not cells.", "All fragments"]},
    "models/model_index.json": {"models": [{"id": "x", "type": "causal-lm"}], "tags": ["a b", "c"]},
    "modular/modular_model_index.json": {
        "_class_name": "XModularPipeline", "_diffusers_version": "0.36.0", "_blocks_class_name": "XBlocks",
        "vae": ["diffusers", "AutoencoderKL", {"type_hint": ["diffusers", "AutoencoderKL"], "revision": None}],
    },
    "st/modules.json": [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
    ],
    "st/2_Dense/config.json": {
        "in_features": 768, "out_features": 512, "bias": True, "activation_function": "torch.nn.modules.activation.Tanh",
    },
    "st/config.json": {
        "architectures": ["BertForSequenceClassification"], "model_type": "bert", "activation_function": "gelu_new",
        "sentence_transformers": {"activation_fn": "torch.nn.modules.linear.Identity", "version": "4.0.1"},
        "sbert_ce_default_activation_function": "torch.nn.modules.linear.Identity",
    },
    "lora/adapter_config.json": {
        "auto_mapping": {"base_model_class": "WhisperForConditionalGeneration", "parent_library": "transformers.models.whisper.modeling_whisper"},
        "base_model_name_or_path": "openai/whisper-large-v2", "peft_type": "LORA", "target_modules": ["q_proj"],
    },
    "sharded/model.safetensors.index.json": {
        "metadata": {"total_size": 26953670656},
        "weight_map": {"lm_head.weight": "model-00002-of-00002.safetensors", "model.embed": "model-00001-of-00002.safetensors"},
    },
    "wav2vec/config.json": {"conv_feature_layers": "[(512, 10, 5)] + [(512, 3, 2)] * 4 + [(512,2,2)]", "model_type": "sew"},
    "generation_config.json": {"_from_model_config": True, "bos_token_id": 1, "transformers_version": "4.41.0"},
    "results.json": {"config": {"model": "hf", "model_args": "pretrained=x,trust_remote_code=True"}, "chat_template": "{{ messages }}"},
    "cookiecutter.json": {"name": "x", "_template": "gh:a/b", "slug": "{{ cookiecutter.name.__class__ }}"},
    "data.json": [{"idx": 0, "type": "question", "label": 1}],
    "notebook.ipynb": {"cells": [{"cell_type": "code", "source": ["trust_remote_code=True"]}], "metadata": {}},
}  # fmt: skip
