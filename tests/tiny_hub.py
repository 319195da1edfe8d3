"""Tiny random models, saved in the hub's own layouts; they know nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

transformers = pytest.importorskip("transformers", reason="the extra hub is not installed")

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SIDE, PATCH, WIDTH = 64, 16, 24
_TRANSFORMER = {
    "hidden_size": 32,
    "intermediate_size": 40,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
}
_TEXT = "a an photo video of sound this is dog barking siren . [PAD] [UNK] [EOS]"
_WORDS = _TEXT.split(" ")


def save_clip(folder: Path, licence: str = "mit") -> Path:
    config = transformers.CLIPConfig(
        vision_config=_TRANSFORMER | {"image_size": SIDE, "patch_size": PATCH},
        text_config=_TRANSFORMER | _vocabulary(),
        projection_dim=WIDTH,
    )
    processor = transformers.CLIPImageProcessor(
        size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE}
    )
    return _save(folder, transformers.CLIPModel(_seeded(config)), processor, licence)


def save_siglip(folder: Path, licence: str = "apache-2.0") -> Path:
    config = transformers.SiglipConfig(
        vision_config=_TRANSFORMER | {"image_size": SIDE, "patch_size": PATCH},
        text_config=_TRANSFORMER | _vocabulary(),
    )
    processor = transformers.SiglipImageProcessor(size={"height": SIDE, "width": SIDE}, resample=2)
    return _save(folder, transformers.SiglipModel(_seeded(config)), processor, licence)


def save_siglip2(folder: Path, licence: str = "apache-2.0") -> Path:
    config = transformers.Siglip2Config(
        vision_config=_TRANSFORMER | {"num_patches": (SIDE // PATCH) ** 2, "patch_size": PATCH},
        text_config=_TRANSFORMER | _vocabulary(),
    )
    processor = transformers.Siglip2ImageProcessor(
        patch_size=PATCH, max_num_patches=(SIDE // PATCH) ** 2
    )
    return _save(folder, transformers.Siglip2Model(_seeded(config)), processor, licence)


def save_clap(folder: Path, licence: str = "apache-2.0", *, is_fused: bool = False) -> Path:
    config = transformers.ClapConfig(
        audio_config={
            "patch_embeds_hidden_size": 16,
            "hidden_size": 64,
            "depths": [1, 1, 1],
            "num_attention_heads": [2, 2, 2],
            "window_size": 8,
            "enable_fusion": is_fused,
            "enable_patch_fusion": is_fused,
        },
        text_config=_TRANSFORMER | _vocabulary() | {"max_position_embeddings": 40},
        projection_dim=WIDTH,
    )
    extractor = transformers.ClapFeatureExtractor(truncation="fusion" if is_fused else "rand_trunc")
    return _save(folder, transformers.ClapModel(_seeded(config)), extractor, licence)


def save_timm(folder: Path, architecture: str = "resnet10t", licence: str = "apache-2.0") -> Path:
    """Save a network of timm as it saves them for the hub."""
    import timm
    from safetensors.torch import save_file

    torch.manual_seed(0)
    model = timm.create_model(architecture, num_classes=5)
    folder.mkdir(parents=True)
    save_file(model.state_dict(), folder / "model.safetensors")
    settings = {
        "architecture": architecture,
        "num_classes": 5,
        "num_features": model.num_features,
        "pretrained_cfg": {
            "input_size": [3, 96, 96],
            "fixed_input_size": False,
            "interpolation": "bicubic",
            "crop_pct": 0.9,
            "mean": [0.1, 0.2, 0.3],
            "std": [0.4, 0.5, 0.6],
            "num_classes": 5,
            "first_conv": model.pretrained_cfg["first_conv"],
            "classifier": "fc",
        },
    }
    (folder / "config.json").write_text(json.dumps(settings))
    _write_card(folder, licence)
    return folder


def as_cached(folder: Path, cache: Path, repository: str) -> Path:
    """Copy a model into the layout of the hub's cache; returns the snapshot's folder."""
    root = cache / f"models--{repository.replace('/', '--')}"
    (root / "refs").mkdir(parents=True)
    (root / "refs" / "main").write_text(COMMIT)
    return Path(shutil.copytree(folder, root / "snapshots" / COMMIT))


def _seeded(config):
    torch.manual_seed(0)
    return config


def _vocabulary() -> dict[str, int]:
    n_words = len(_WORDS)
    return {
        "vocab_size": n_words,
        "max_position_embeddings": 32,
        "pad_token_id": n_words - 3,
        "bos_token_id": n_words - 2,
        "eos_token_id": n_words - 1,
    }


def _save(folder: Path, model, processor, licence: str) -> Path:
    with torch.no_grad():  # a transformer's first weights are so small that its tokens are alike
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(4)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    _tokenizer().save_pretrained(folder)
    _write_card(folder, licence)
    return folder


def _tokenizer():
    from tokenizers import Tokenizer, models, pre_tokenizers
    from tokenizers.processors import TemplateProcessing

    end = len(_WORDS) - 1
    words = Tokenizer(models.WordLevel({w: k for k, w in enumerate(_WORDS)}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.post_processor = TemplateProcessing(single="$A [EOS]", special_tokens=[("[EOS]", end)])
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="[PAD]", unk_token="[UNK]", eos_token="[EOS]"
    )


def _write_card(folder: Path, licence: str) -> None:
    (folder / "README.md").write_text(f"---\nlicense: {licence}\ntags:\n- tiny\n---\n# Tiny\n")
