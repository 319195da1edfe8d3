"""Measure the background that avloc ships for the model ``open``, on videos of every kind.

    python tools/open_background.py --weights WEIGHTS DIR_OR_FILE ...

Each video's seconds go through the small pair of encoders and their classifiers. Only moments over
all seconds are written (`avloc.vocabulary.background`): nothing of a single video can be had back.
The shipped file was made of 36 real clips, those of `../shared/real`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from avloc.features import Encoders, WeightsPolicy, extract_video, load_encoders
from avloc.features.heads import audio_head, visual_head
from avloc.media.discovery import video_files
from avloc.stages.open_model import AUDIO, FPS, VISUAL
from avloc.vocabulary.background import Background

TARGET = Path(__file__).parents[1] / "avloc" / "vocabulary" / "data" / "background.npz"

Scores = NDArray[np.float64]


def logits_of(
    videos: list[Path], encoders: Encoders, weights: WeightsPolicy
) -> Iterator[tuple[Scores | None, Scores | None]]:
    """Yield each video's (T, K) logits of its sound and log-probabilities of its picture."""
    hear, see = audio_head(AUDIO, weights), visual_head(VISUAL, weights)
    for video in videos:
        features = extract_video(video, encoders)
        with torch.inference_mode():
            heard = None if features.audio is None else hear(torch.from_numpy(features.audio))
            seen = None
            if features.visual is not None:
                cells = see(torch.from_numpy(features.visual).float().flatten(1, 2))
                seen = cells.mean(dim=1).log_softmax(dim=-1)
        yield tuple(None if x is None else x.double().numpy() for x in (heard, seen))


def main() -> None:
    """Read the arguments and write the moments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("videos", nargs="+", type=Path)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--out", type=Path, default=TARGET)
    given = parser.parse_args()
    weights = WeightsPolicy(folder=given.weights)
    encoders = load_encoders(VISUAL, AUDIO, fps=FPS, weights=weights)
    videos = [path for given_path in given.videos for path in video_files(given_path)]
    heard, seen = zip(*logits_of(videos, encoders, weights), strict=True)
    sound = Background.of_absence(np.concatenate([x for x in heard if x is not None]))
    picture = Background.of(np.concatenate([x for x in seen if x is not None]))
    arrays = {
        f"{encoder}/{name}": getattr(background, name).astype(np.float16)
        for encoder, background in ((AUDIO, sound), (VISUAL, picture))
        for name in ("mean", "factors", "rest")
    }
    np.savez_compressed(given.out, **arrays)
    print(f"wrote {given.out}: {len(videos)} videos")


if __name__ == "__main__":
    main()
