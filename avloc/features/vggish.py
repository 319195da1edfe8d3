"""VGGish: a log-mel patch to 128 numbers (Hershey et al., "CNN Architectures for Large-Scale
Audio Classification", ICASSP 2017), in the shape of the weights converted to PyTorch."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from avloc.features.weights import WeightsRecord

VGGISH_WEIGHTS = WeightsRecord.from_url(
    "vggish",
    "https://github.com/harritaylor/torchvggish/releases/download/v0.1/vggish-10086976.pth",
    licence="Apache-2.0 (the AudioSet authors' weights, converted)",
)
_N_CHANNELS = (64, "pool", 128, "pool", 256, 256, "pool", 512, 512, "pool")


class VGGish(nn.Module):
    """The network, with the converted state dict's names: ``features`` and ``embeddings``.

    There is no PCA and no quantising after it, and the last ReLU is kept: so the features
    published for AVE were made.
    """

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
