"""Features in AVE's published layout, made up: what other people's archives look like."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

SPLITS = ("train", "val", "test")
# a video of two rows with another between them, ids that begin with a dash, a row of nothing
LINES = (
    "Bark&-dog&good&0&10",
    "Bark&yard&good&2&5",
    "Flute&-dog&fair&6&8",
    "Flute&hall&good&0&10",
    "Bark&empty&good&0&0",
    "Church bell&tower&good&3&10",
    "Church bell&-spire&good&0&4",
    "Flute&park&good&1&9",
)
ORDERS = {"train": [5, 0, 3, 7], "val": [1, 6], "test": [4, 2]}


@dataclass(frozen=True)
class Layout:
    """A published folder and what is in it."""

    folder: Path
    visual: np.ndarray
    audio: np.ndarray
    lines: tuple[str, ...] = LINES

    @property
    def video_ids(self) -> list[str]:
        """Each row's video."""
        return [line.split("&")[1] for line in self.lines]


def publish(
    folder: Path,
    lines: tuple[str, ...] = LINES,
    orders: dict[str, list[int]] | None = ORDERS,
    *,
    side: int = 3,
    channels: tuple[int, int] = (6, 5),
    seed: int = 0,
    **stored: object,
) -> Layout:
    """Write visual and audio features of some rows, one array a file, and the rows."""
    draw = np.random.default_rng(seed)
    ids = [line.split("&")[1] for line in lines]
    same = [ids.index(video_id) for video_id in ids]  # rows of one video have its features
    visual = draw.gamma(0.3, 8.0, size=(len(lines), 10, side, side, channels[0]))[same]
    audio = np.maximum(draw.normal(size=(len(lines), 10, channels[1])), 0)[same]
    layout = Layout(folder, visual, audio, lines)
    folder.mkdir(parents=True, exist_ok=True)
    write_array(folder / "visual_feature.h5", visual, **stored)
    write_array(folder / "audio_feature.h5", audio)
    (folder / "Annotations.txt").write_text("".join(f"{line}\n" for line in lines))
    for name, numbers in (orders or {}).items():
        write_array(folder / f"{name}_order.h5", np.array(numbers, dtype=np.int64), "order")
    return layout


def write_array(path: Path, array: np.ndarray, key: str = "avadataset", **stored: object) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset(key, data=array, **stored)


def read_array(path: Path, key: str = "avadataset") -> np.ndarray:
    with h5py.File(path) as file:
        return file[key][:]
