"""The heads of taggers: an encoder's embedding to the logits of the classes it was trained on."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from avloc.errors import UnknownNameError
from avloc.features.architectures import Sense, find_architecture
from avloc.features.weights import State, WeightsPolicy, fetch, fill, load_state

_LITE0_EPS = 1e-3


@dataclass(frozen=True)
class _Tagger:
    """An encoder's two last layers with weights: their (width, K), activation and tensors."""

    sizes: tuple[int, int]
    activation: type[nn.Module]
    tensors: Callable[[State], State]


def audio_head(name: str, weights: WeightsPolicy) -> nn.Module:
    """Return an audio encoder's head: (..., D) vectors to (..., K) logits of its K classes.

    Its layers are ``hidden`` (linear), ``activation`` and ``output`` (linear).

    Raises:
        UnknownNameError: no such encoder, or it has no classes.
        WeightsError: its weights cannot be had.
    """
    return _head("audio", name, weights)


def visual_head(name: str, weights: WeightsPolicy) -> nn.Module:
    """Return a visual encoder's head: cells (..., D) of its map to (..., K) logits a cell.

    The mean of the logits of a picture's cells is what the whole classifier says of the picture.
    Layers and errors are those of `audio_head`.
    """
    return _head("visual", name, weights)


def _head(sense: Sense, name: str, weights: WeightsPolicy) -> nn.Module:
    architecture, tagger = find_architecture(sense, name), _TAGGERS[sense].get(name)
    if tagger is None or architecture.record is None:
        raise UnknownNameError(f"{sense} encoder with classes", name, _TAGGERS[sense])
    record, (width, n_classes) = architecture.record(name), tagger.sizes
    with torch.device("meta"):
        layers: dict[str, nn.Module] = {
            "hidden": nn.Linear(architecture.embedding[-1], width),
            "activation": tagger.activation(),
            "output": nn.Linear(width, n_classes),
        }
        head = nn.Sequential(OrderedDict(layers))
    fill(head, tagger.tensors(load_state(record, fetch(record, weights))), record)
    return head.eval().requires_grad_(False)


def _of_mn04(state: State) -> State:
    return _renamed(state, {"hidden": "classifier.2", "output": "classifier.5"})


def _of_lite0(state: State) -> State:
    """Fold the normalisation into the 1 x 1 convolution, which is a linear layer of each cell."""
    mean, variance, scale, shift = (
        state[f"_bn1.{name}"] for name in ("running_mean", "running_var", "weight", "bias")
    )
    kernel, bias = fuse_conv_bn_weights(
        state["_conv_head.weight"], None, mean, variance, _LITE0_EPS, scale, shift
    )
    hidden: dict[str, Tensor] = {"hidden.weight": kernel[..., 0, 0], "hidden.bias": bias}
    return hidden | _renamed(state, {"output": "_fc"})


def _renamed(state: State, layers: Mapping[str, str]) -> dict[str, Tensor]:
    parts = ("weight", "bias")
    return {
        f"{ours}.{part}": state[f"{theirs}.{part}"]
        for ours, theirs in layers.items()
        for part in parts
    }


_TAGGERS: Mapping[Sense, Mapping[str, _Tagger]] = {
    "audio": {"efficientat-mn04": _Tagger((512, 527), nn.Hardswish, _of_mn04)},
    "visual": {"efficientnet-lite0": _Tagger((1280, 1000), nn.ReLU6, _of_lite0)},
}
