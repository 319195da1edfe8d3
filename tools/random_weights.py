"""Run ``avloc`` with random weights where an encoder's own ones are not on this machine::

    python tools/random_weights.py bench --visual resnet152 --clips 10 --rounds 1

The speed of a network does not depend on its weights. The hash of random weights differs from
that of the encoder's own, so features made with them have another fingerprint. A ResNet's blocks
add little to their input, as in a trained one: else its maps would be too large for half
precision.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from unittest.mock import patch

from avloc.cli import main
from avloc.errors import WeightsError

if TYPE_CHECKING:
    from avloc.features.weights import WeightsFile, WeightsPolicy, WeightsRecord


@contextmanager
def random_weights() -> Iterator[None]:
    """Load random weights in the block where a file would have to be downloaded."""
    from avloc.features.weights import fetch

    with TemporaryDirectory() as folder:

        def fetch_or_draw(record: WeightsRecord, policy: WeightsPolicy) -> WeightsFile:
            try:
                return fetch(record, replace(policy, offline=True))
            except WeightsError:
                return draw(record, Path(folder))

        with patch("avloc.features.sources.fetch", fetch_or_draw):
            yield


def draw(record: WeightsRecord, folder: Path) -> WeightsFile:
    """Write weights of an encoder's shapes, the same at each call."""
    import torch
    from torchvision.models import get_model
    from torchvision.models.resnet import BasicBlock, Bottleneck

    from avloc.artifacts import sha256_of
    from avloc.features.audio_networks import VGGish
    from avloc.features.weights import WeightsFile

    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = VGGish() if record.name == "vggish" else get_model(record.name, weights=None)
    for block in network.modules():
        if isinstance(block, BasicBlock | Bottleneck):
            last = block.bn3 if isinstance(block, Bottleneck) else block.bn2
            torch.nn.init.constant_(last.weight, 0.2)
    path = folder / record.file
    torch.save(network.state_dict(), path)
    return WeightsFile(path, sha256_of(path))


if __name__ == "__main__":
    # Set before torch is loaded, as the command itself does.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    with random_weights():
        main()
