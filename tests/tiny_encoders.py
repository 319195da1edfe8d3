"""Encoders small enough for tests of everything around them, and clips to feed them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from avloc.decoding.front_ends import FrontEnd
from avloc.features.encoders import Encoder, Encoders, load_encoder
from avloc.features.preprocess import imagenet
from avloc.features.resampling import Resampler
from avloc.features.segment_sounds import SegmentSounds
from avloc.features.weights import WeightsPolicy
from avloc.media import write_clip
from avloc.spec import FeatureSpec
from avloc.timeline import Grid

CPU = torch.device("cpu")


def tiny_encoders(fps: int = 4, seed: int = 0) -> Encoders:
    """One seeded convolution over the picture, and the weight-free log-mel encoder."""
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Conv2d(3, 6, 32, stride=32), nn.ReLU()).requires_grad_(False)
    visual = Encoder("tiny", network, imagenet, (7, 7, 6), f"{seed}", CPU, "fp32", group=8)
    audio = load_encoder("audio", "logmel", device=CPU, precision="fp32", weights=WeightsPolicy())
    return Encoders(FeatureSpec("tiny", f"{seed}", "logmel", "", fps=fps), visual, audio)


def to_16khz(samples: np.ndarray, rate: int) -> np.ndarray:
    """Resample (n,) mono sound whole."""
    resampler = Resampler(rate, 16_000)
    return np.concatenate([resampler.add(samples), resampler.finish()])


def items_of(front_end: FrontEnd, pieces: Iterable[np.ndarray], rate: int, grid: Grid) -> list:
    """Return each segment's items of mono sound in pieces."""
    sounds = SegmentSounds(front_end, rate, grid)
    early = [items for piece in pieces for items in sounds.add(piece)]
    return early + sounds.finish()


@dataclass
class Film:
    """A clip of noise pictures, each held ``hold`` frames, with a tone."""

    seconds: float = 3.0
    rate: int = 8
    hold: int = 1
    seed: int = 0
    has_sound: bool = True
    sound_seconds: float | None = None

    def write(self, path: Path) -> Path:
        draw = np.random.default_rng(self.seed)
        n_frames = round(self.seconds * self.rate)
        coarse = draw.integers(0, 256, (n_frames // self.hold + 1, 6, 8, 3), dtype=np.uint8)
        frames = (
            np.kron(coarse[k // self.hold], np.ones((8, 8, 1), np.uint8)) for k in range(n_frames)
        )
        time = np.arange(round((self.sound_seconds or self.seconds) * 22050)) / 22050
        tone = (0.3 * np.sin(2 * np.pi * (300 + 100 * self.seed) * time)).astype(np.float32)
        write_clip(path, frames, self.rate, tone if self.has_sound else None, 22050)
        return path
