"""VGGish, and band statistics that need no weights; both take log-mel patches.

VGGish: Hershey et al., "CNN Architectures for Large-Scale Audio Classification", ICASSP 2017,
with the layer names of the weights that were converted to PyTorch.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from avloc.features.weights import State, WeightsRecord, fill

VGGISH_WEIGHTS = WeightsRecord.from_url(
    "vggish",
    "https://github.com/harritaylor/torchvggish/releases/download/v0.1/vggish-10086976.pth",
    licence="Apache-2.0 (the AudioSet authors' weights, converted)",
)
_N_CHANNELS = (64, "pool", 128, "pool", 256, 256, "pool", 512, 512, "pool")


class VGGish(nn.Module):
    """VGGish without PCA and quantising, the last ReLU kept, as AVE's features were made."""

    def __init__(self) -> None:
        super().__init__()
        self.features = _convolutions()
        self.embeddings = nn.Sequential(
            nn.Linear(512 * 6 * 4, 4096),
            nn.ReLU(inplace=True),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Linear(4096, 128),
            nn.ReLU(inplace=True),
        )

    def forward(self, patches: Float[Tensor, "B 96 64"]) -> Float[Tensor, "B 128"]:
        """Embed log-mel patches; the maps are flattened in the order height, width, channel."""
        maps = self.features(patches[:, None])
        embedded: Tensor = self.embeddings(maps.permute(0, 2, 3, 1).flatten(1))
        return embedded


class BandStatistics(nn.Module):
    """The encoder ``logmel``: each band's mean and standard deviation over the patch's frames."""

    def forward(self, patches: Float[Tensor, "B 96 64"]) -> Float[Tensor, "B 128"]:
        """Return the 64 means, then the 64 standard deviations."""
        return torch.cat([patches.mean(1), patches.std(1, correction=0)], dim=1)


def vggish(_name: str, state: State, record: WeightsRecord) -> nn.Module:
    """Return VGGish with its weights."""
    with torch.device("meta"):
        network = VGGish()
    fill(network, state, record)
    return network


def _convolutions() -> nn.Sequential:
    layers: list[nn.Module] = []
    n_before = 1
    for entry in _N_CHANNELS:
        if isinstance(entry, int):
            layers += [nn.Conv2d(n_before, entry, 3, padding=1), nn.ReLU(inplace=True)]
            n_before = entry
        else:
            layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)
