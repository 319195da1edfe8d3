"""The encoders by name: what each takes, makes, and where its weights come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from avloc.errors import UnknownNameError
from avloc.features.audio_networks import VGGISH_WEIGHTS, BandStatistics, vggish
from avloc.features.logmel import N_BANDS, N_FRAMES
from avloc.features.preprocess import as_they_are, efficientnet_lite, imagenet
from avloc.features.visual_networks import (
    efficientnet_lite0_trunk,
    embedded_record,
    resnet_trunk,
    torchvision_record,
    vgg19_trunk,
)
from avloc.features.weights import WeightsRecord

Sense = Literal["visual", "audio"]


@dataclass(frozen=True)
class Architecture:
    """How an encoder is built.

    Attributes:
        embedding: the shape of what it makes of one item: (H, W, D) or (D,).
        prepare: turns a batch of items into the network's input.
        build: makes the network of its name, its weights and their record.
        record: returns the record of its weights by its name; None if it has none.
    """

    embedding: tuple[int, ...]
    prepare: Callable[[Tensor], Tensor]
    build: Callable[..., nn.Module]
    record: Callable[[str], WeightsRecord] | None


@dataclass(frozen=True)
class Inputs:
    """What all encoders of a sense take.

    Attributes:
        shape: of one item of the network's input.
        cpu_group: items at a time on a CPU. Fixed, so that an embedding does not depend on
            its neighbours, and measured to give the same bits on 1 to 8 threads: the
            convolution library takes other algorithms for 8 frames, or 16 patches.
    """

    shape: tuple[int, ...]
    cpu_group: int


INPUTS: Mapping[Sense, Inputs] = {
    "visual": Inputs((3, 224, 224), cpu_group=16),
    "audio": Inputs((N_FRAMES, N_BANDS), cpu_group=8),
}


def _resnet(n_channels: int) -> Architecture:
    return Architecture((7, 7, n_channels), imagenet, resnet_trunk, torchvision_record)


VISUAL_ENCODERS = {
    "efficientnet-lite0": Architecture(
        (7, 7, 320), efficientnet_lite, efficientnet_lite0_trunk, embedded_record
    ),
    "resnet101": _resnet(2048),
    "resnet152": _resnet(2048),
    "resnet18": _resnet(512),
    "resnet34": _resnet(512),
    "resnet50": _resnet(2048),
    "vgg19": Architecture((7, 7, 512), imagenet, vgg19_trunk, torchvision_record),
}
AUDIO_ENCODERS = {
    "logmel": Architecture((128,), as_they_are, lambda *_: BandStatistics(), None),
    "vggish": Architecture((128,), as_they_are, vggish, lambda _: VGGISH_WEIGHTS),
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
    """Return an encoder's architecture.

    Raises:
        UnknownNameError: there is no such encoder.
    """
    if name not in _ENCODERS[sense]:
        raise UnknownNameError(f"{sense} encoder", name, _ENCODERS[sense])
    return _ENCODERS[sense][name]
