"""Audio encoders: a second's log-mel patch in, one vector out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn

from avloc.errors import UnknownNameError
from avloc.features.grouping import in_groups
from avloc.features.logmel import N_BANDS, N_FRAMES
from avloc.features.precision import arithmetic
from avloc.features.runtimes import choose_runtime, with_runtime
from avloc.features.vggish import VGGISH_WEIGHTS, VGGish
from avloc.features.weights import (
    WeightsFile,
    WeightsPolicy,
    WeightsRecord,
    fetch,
    fill,
    load_state,
)
from avloc.spec import Precision

# On a CPU 8 was measured to give the same bits on 1 to 8 threads; 16 did not.
_CPU_GROUP, _GPU_GROUP = 8, 128


@dataclass(frozen=True)
class AudioEncoder:
    """Turns log-mel patches into vectors.

    Attributes:
        name: the encoder's.
        network: (B, 96, 64) to (B, D).
        channels: D.
        weights_sha256: of the weights file; empty if there is none.
        device: where it runs.
        precision: how fine.
        group: B of every call, short ones filled up, so that a vector does not depend on
            which others it is computed with.
    """

    name: str
    network: Callable[[Tensor], Tensor]
    channels: int
    weights_sha256: str
    device: torch.device
    precision: Precision
    group: int

    def encode(self, patches: NDArray[np.float32]) -> Tensor:
        """Return (n, D) float32 on the device for (n, 96, 64) patches."""
        return in_groups(self._encode_group, patches, self.group)

    def _encode_group(self, patches: NDArray[np.float32]) -> Tensor:
        with arithmetic(self.device, self.precision):
            vectors = self.network(torch.from_numpy(patches).to(self.device, non_blocking=True))
            return vectors.float()


class BandStatistics(nn.Module):
    """The weight-free encoder ``logmel``: each band's mean and standard deviation."""

    def forward(self, patches: Float[Tensor, "B 96 64"]) -> Float[Tensor, "B 128"]:
        """Return the 64 means, then the 64 standard deviations, over the patch's frames."""
        return torch.cat([patches.mean(1), patches.std(1, correction=0)], dim=1)


def list_audio_encoders() -> list[str]:
    """Return the names `load_audio` takes."""
    return ["logmel", "vggish"]


def load_audio(
    name: str,
    *,
    device: torch.device,
    precision: Precision,
    weights: WeightsPolicy,
    record: WeightsRecord = VGGISH_WEIGHTS,
    runtime: str = "eager",
) -> AudioEncoder:
    """Load an audio encoder.

    Args:
        name: one of `list_audio_encoders`.
        device: where it will run.
        precision: how fine.
        weights: where its weights may come from.
        record: which weights VGGish takes.
        runtime: what runs it (see `avloc.features.runtimes`).

    Raises:
        UnknownNameError: there is no such encoder.
        WeightsError: its weights cannot be had.
    """
    if name not in list_audio_encoders():
        raise UnknownNameError("audio encoder", name, list_audio_encoders())
    file = fetch(record, weights) if name == "vggish" else None

    def build() -> nn.Module:
        network = BandStatistics() if file is None else _vggish(record, file)
        return network.eval().requires_grad_(False).to(device)

    sha256 = file.sha256 if file is not None else ""
    group = _GPU_GROUP if device.type == "cuda" else _CPU_GROUP
    like = torch.zeros(group, N_FRAMES, N_BANDS, device=device)
    with arithmetic(device, precision):
        run = with_runtime(build, choose_runtime(runtime, device), like, f"{name} {sha256}")
    return AudioEncoder(name, run, 128, sha256, device, precision, group)


def _vggish(record: WeightsRecord, file: WeightsFile) -> nn.Module:
    with torch.device("meta"):
        network = VGGish()
    fill(network, load_state(record, file), record)
    return network
