"""The encoders by name: what each takes, makes, and where its weights come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import torch
from torch import Tensor, nn

from avloc.decoding.front_ends import VGGISH, find_front_end
from avloc.decoding.squash import SQUASH
from avloc.errors import UnknownNameError
from avloc.features.audio_networks import VGGISH_WEIGHTS, BandStatistics, vggish
from avloc.features.efficientat import (
    MN04_WEIGHTS,
    mn04_front_end,
    mn04_log_mel,
    mn04_trunk,
)
from avloc.features.preprocess import efficientnet_lite, imagenet
from avloc.features.visual_networks import (
    efficientnet_lite0_trunk,
    embedded_record,
    resnet_trunk,
    torchvision_record,
    vgg19_trunk,
)
from avloc.features.weights import WeightsRecord

Sense = Literal["visual", "audio"]
_GPU_GROUP = 128


@dataclass(frozen=True)
class Architecture:
    """How an encoder is built."""

    embedding: tuple[int, ...]  # an item's shape: (H, W, D) or (D,)
    prepare: Callable[[Tensor], Tensor]  # items to the network's input
    build: Callable[..., nn.Module]  # from its name, its weights and their record
    record: Callable[[str], WeightsRecord] | None  # of the weights, by the encoder's name
    size: tuple[int, int] = (224, 224)  # a frame's (height, width)
    resize: str = SQUASH  # the rule that brings a frame to that size
    layer: str = ""  # what is taken of a model from a hub
    cpu_group: int = 16  # items a call; measured to give the same bits on 1 to 8 threads
    onnx_group: int = 0  # items a call of ONNX Runtime, which gives the same bits; 0: as many
    front_end: Callable[[Fraction], str] = lambda _: VGGISH  # sound's, for segments of a length

    def group(self, device: torch.device, runtime: str) -> int:
        """Return how many items a call of the network takes."""
        if device.type == "cuda":
            return _GPU_GROUP
        return (self.onnx_group if runtime == "onnx" else 0) or self.cpu_group

    def items(self, sense: Sense, segment_seconds: Fraction, n_items: int = 1) -> Tensor:
        """Return empty items as the encoder takes them: black frames, or silence."""
        if sense == "visual":
            return torch.zeros(n_items, *self.size, 3, dtype=torch.uint8)
        return torch.zeros(n_items, *find_front_end(self.front_end(segment_seconds)).item_shape)


_PATCHES_AT_ONCE = 8  # 16 do not give the same bits
# Convolutions have the same bits in groups of 1 to 16 there, and a short clip fills few groups.
_FEW = 4


def _resnet(n_channels: int) -> Architecture:
    return Architecture(
        (7, 7, n_channels), imagenet, resnet_trunk, torchvision_record, onnx_group=_FEW
    )


VISUAL_ENCODERS = {
    "colours": Architecture((7, 7, 3), imagenet, lambda *_: nn.AvgPool2d(32), None),
    "efficientnet-lite0": Architecture(
        (7, 7, 320),
        efficientnet_lite,
        efficientnet_lite0_trunk,
        embedded_record,
        onnx_group=_FEW,
    ),
    "resnet101": _resnet(2048),
    "resnet152": _resnet(2048),
    "resnet18": _resnet(512),
    "resnet34": _resnet(512),
    "resnet50": _resnet(2048),
    "vgg19": Architecture((7, 7, 512), imagenet, vgg19_trunk, torchvision_record, onnx_group=_FEW),
}
AUDIO_ENCODERS = {
    "efficientat-mn04": Architecture(
        (384,),
        mn04_log_mel,
        mn04_trunk,
        lambda _: MN04_WEIGHTS,
        onnx_group=_FEW,
        front_end=mn04_front_end,
    ),
    "logmel": Architecture(
        (128,), nn.Identity(), lambda *_: BandStatistics(), None, cpu_group=_PATCHES_AT_ONCE
    ),
    "vggish": Architecture(
        (128,), nn.Identity(), vggish, lambda _: VGGISH_WEIGHTS, cpu_group=_PATCHES_AT_ONCE
    ),
}
_ENCODERS: Mapping[Sense, Mapping[str, Architecture]] = {
    "visual": VISUAL_ENCODERS,
    "audio": AUDIO_ENCODERS,
}


def list_visual_encoders() -> list[str]:
    """Return the visual encoders' names."""
    return list(VISUAL_ENCODERS)


def list_audio_encoders() -> list[str]:
    """Return the audio encoders' names."""
    return list(AUDIO_ENCODERS)


def find_architecture(sense: Sense, name: str) -> Architecture:
    """Return an encoder's architecture; UnknownNameError if there is none of that name."""
    if name not in _ENCODERS[sense]:
        raise UnknownNameError(f"{sense} encoder", name, _ENCODERS[sense])
    return _ENCODERS[sense][name]
