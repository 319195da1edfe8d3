"""Folders of small photographs and recordings, as ``avloc synth`` takes them."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ("bell", "cat", "drum")
RATE = 22050


def write_picture(path: Path, number: int) -> None:
    pixels = np.random.default_rng(number).integers(0, 256, size=(20 + number, 30, 3), dtype="u1")
    Image.fromarray(pixels).save(path)


def write_sound(path: Path, samples: np.ndarray) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((samples * 32767).astype("<i2").tobytes())


def stroke(hertz: float) -> np.ndarray:
    """Return a second of silence, a short tone, and two seconds of silence."""
    tone = 0.5 * np.sin(2 * np.pi * hertz * np.arange(RATE // 5) / RATE)
    return np.concatenate([np.zeros(RATE), tone, np.zeros(2 * RATE)])


def make_media(root: Path) -> dict[str, Path]:
    """Make the folders ``pictures`` and ``sounds``, six files a class, with odd ones between."""
    folders = {"pictures": root / "pictures", "sounds": root / "sounds"}
    for kind, label in enumerate(CLASSES):
        for folder in folders.values():
            (folder / label).mkdir(parents=True)
        for number in range(6):
            write_picture(folders["pictures"] / label / f"{number}.png", 10 * kind + number)
            tone = stroke(300 + 200 * kind + 20 * number)
            write_sound(folders["sounds"] / label / f"{number}.wav", tone)
    (folders["pictures"] / "only here").mkdir()
    (folders["pictures"] / "cat" / "notes.txt").write_text("no picture, and left alone")
    return folders
