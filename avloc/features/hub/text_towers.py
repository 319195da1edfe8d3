"""Labels in the space of a model's pictures or sounds, by the text half of the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

from avloc.errors import UsageError
from avloc.features.hub.names import parse_hub_name, require_packages
from avloc.features.hub.snapshots import find_snapshot, weights_of
from avloc.features.hub.transformers_models import SENSE_OF, kind_of, load_model, load_tokenizer
from avloc.features.weights import WeightsPolicy

TEMPLATES: Mapping[str, tuple[str, ...]] = {
    "visual": ("a photo of a {}.", "a video of {}."),
    "audio": ("This is a sound of {}.",),
}
"""The sentences that a label is put into, by sense; their embeddings are averaged."""
_AT_ONCE = 64  # sentences


@dataclass(frozen=True)
class TextHead:
    """Labels as directions of an encoder's embedding.

    The model's logit of a label is ``scale * embedding @ weight.T + bias``. It is linear, so the
    mean of the logits of a map's cells is the logit of the whole picture.

    Attributes:
        labels: C names.
        weight: (C, D), each row of length 1.
        scale: the model's, of a cosine.
        bias: the model's; 0 for those that have none.
        sense: ``visual`` or ``audio``, what the encoder takes.
    """

    labels: tuple[str, ...]
    weight: Float[Tensor, "C D"]
    scale: float
    bias: float
    sense: str

    def __call__(self, embedding: Float[Tensor, "*B D"]) -> Float[Tensor, "*B C"]:
        """Return the logits of embeddings as the encoder makes them."""
        weight = self.weight.to(embedding)
        return self.scale * embedding @ weight.T + self.bias


def text_head(
    name: str,
    labels: Sequence[str],
    *,
    weights: WeightsPolicy = WeightsPolicy(),  # noqa: B008 - frozen
    templates: Sequence[str] = (),
) -> TextHead:
    """Return the head for some labels of an encoder that was trained with texts.

    Args:
        name: the encoder's, ``hf:ORG/NAME@REVISION`` or ``hf:./FOLDER``.
        labels: the names; each is put into every template.
        weights: where the model's files may come from.
        templates: sentences with ``{}`` for the label; by default those of `TEMPLATES`.

    Raises:
        UsageError: there is no label, a label is empty, or the model has no text half.
        WeightsError: the model's files cannot be had.
    """
    _check(labels, templates)
    parsed = parse_hub_name(name)
    if parsed.library != "hf":
        raise UsageError(f"{parsed} was not trained with texts", "Name a model as hf:ORG/NAME.")
    require_packages(parsed)
    snapshot = find_snapshot(parsed, parsed.model, weights)
    kind = kind_of(snapshot)
    weights_of(snapshot, weights)
    sense = SENSE_OF[kind]
    chosen = list(templates or TEMPLATES[sense])
    sentences = [template.format(label) for label in labels for template in chosen]
    model, tokenizer = load_model(snapshot), load_tokenizer(snapshot)
    with torch.inference_mode():
        parts = [sentences[k : k + _AT_ONCE] for k in range(0, len(sentences), _AT_ONCE)]
        texts = torch.cat([embed_texts(model, tokenizer, kind, part) for part in parts])
        weight = normalize(texts.reshape(len(labels), len(chosen), -1).mean(1), dim=-1)
        scale, bias = _scale_and_bias(model, kind)
    return TextHead(tuple(labels), weight.clone(), scale, bias, sense)


def embed_texts(
    model: Any, tokenizer: Any, kind: str, texts: Sequence[str]
) -> Float[Tensor, "n D"]:
    """Return the embeddings of texts, each of length 1, as the model was trained."""
    longest = model.config.text_config.max_position_embeddings
    if kind.startswith("siglip"):  # trained on full length, in lower case, without a mask
        texts = [text.lower() for text in texts]
        padding = {"padding": "max_length", "max_length": longest, "padding_side": "right"}
        tokens = tokenizer(texts, truncation=True, return_tensors="pt", **padding)
        inputs = {"input_ids": tokens["input_ids"]}
    else:
        limit = longest - _reserved(model.config.text_config) if kind == "clap" else longest
        tokens = tokenizer(
            list(texts), padding=True, truncation=True, max_length=limit, return_tensors="pt"
        )
        inputs = {key: tokens[key] for key in ("input_ids", "attention_mask")}
    return normalize(model.get_text_features(**inputs).pooler_output, dim=-1)


def _reserved(config: Any) -> int:
    """Return how many positions RoBERTa keeps for padding: its first is after the padding's."""
    return int(config.pad_token_id) + 1


def _scale_and_bias(model: Any, kind: str) -> tuple[float, float]:
    if kind == "clap":
        return float(model.logit_scale_a.exp()), 0.0
    bias = float(model.logit_bias) if kind.startswith("siglip") else 0.0
    return float(model.logit_scale.exp()), bias


def _check(labels: Sequence[str], templates: Sequence[str]) -> None:
    if not labels:
        raise UsageError("there is no label", "Give at least one name.")
    for label in labels:
        if not label.strip():
            raise UsageError("a label is empty", "Give each label a name.")
    for template in templates:
        if "{}" not in template:
            raise UsageError(f"the sentence {template!r} has no place for a label", "Write {}.")
