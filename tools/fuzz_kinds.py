"""What is fuzzed: sound files of each kind, and how the product reads them."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS.parent), str(TESTS), str(TESTS / "artifacts")]


@dataclass(frozen=True)
class Read:
    """What a file was read as.

    Attributes:
        content: a hash of all that was read.
        n_segments: the length of a video; 0 for other files.
        flags: what the reader noticed.
    """

    content: str
    n_segments: int = 0
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        make: writes sound files into a folder.
        read: reads one as the product does, and raises what the product raises.
        is_sealed: whether a digest guards the content, so that none that changed is read.
        megabytes: memory that reading may take.
        seconds: processor time that reading may take.
    """

    make: Callable[[Path], list[Path]]
    read: Callable[[Path], Read]
    is_sealed: bool
    megabytes: int
    seconds: int


def make_artifacts(folder: Path) -> list[Path]:
    """Write a file of every kind that stands between the stages, and two that are mostly numbers.

    In the small ones most damage falls on HDF5's own structures, in the large ones on arrays.
    """
    import examples
    from hostile import WRITERS, sound

    from avloc import artifacts

    draw = np.random.default_rng(0)
    maps = draw.normal(size=(3, 7, 7, 64)).astype(np.float16)
    features = dataclasses.replace(examples.features(), visual=maps)
    weights = {"head.weight": draw.normal(size=(64, 64)).astype(np.float32)}
    model = dataclasses.replace(examples.model(), weights=weights)
    artifacts.write_features(folder / "large-features.h5", features)
    artifacts.write_model(folder / "large-model.h5", model)
    large = [folder / "large-features.h5", folder / "large-model.h5"]
    return [*(sound(kind, folder) for kind in WRITERS), *large]


def read_artifact(path: Path) -> Read:
    """Read an artifact by what it says it is, and describe it as ``avloc inspect`` does."""
    from avloc import artifacts

    readers: dict[str, Callable[[Path], Any]] = {
        "features": artifacts.read_features,
        "model": artifacts.read_model,
        "predictions": artifacts.read_predictions,
        "comparison": artifacts.read_comparison,
        "localization": artifacts.read_localization,
    }
    kind = artifacts.describe(path).kind
    return Read(hash_of(readers[kind](path)))


def make_videos(folder: Path) -> list[Path]:
    """Write four seconds of noise pictures with a tone, in five containers and four codecs."""
    from media_clips import run_ffmpeg
    from tiny_encoders import Film

    first = Film(4.0, rate=8, hold=2).write(folder / "film.mp4")
    made = {
        "film.mkv": ("-c", "copy"),
        "film.ts": ("-c", "copy"),
        "film.avi": ("-c:v", "mpeg4", "-c:a", "pcm_s16le"),
        "film.webm": ("-c:v", "libvpx", "-c:a", "libopus"),
    }
    for name, arguments in made.items():
        run_ffmpeg("-i", first, *arguments, "-fflags", "+bitexact", folder / name)
    return [first, *(folder / name for name in made)]


def read_video(path: Path) -> Read:
    """Extract a video with small encoders, in this process."""
    from avloc.features import extract_video

    features = extract_video(path, _encoders())
    seen = [features.visual, features.audio, features.visual_valid, features.audio_valid]
    return Read(hash_of(seen), features.n_segments, features.flags)


def _encoders() -> Any:
    import torch
    from tiny_encoders import tiny_encoders

    torch.set_num_threads(1)
    return tiny_encoders(fps=1)


def make_manifests(folder: Path) -> list[Path]:
    """Write twelve rows in each format that a user may hand in, and in some published ones."""
    rows = [
        (f"clips/v{k}.mp4", ("bell", "dog, barking")[k % 2], k % 3, k % 3 + 4.5) for k in range(12)
    ]
    splits, senses = ("train", "val", "test", ""), ("both", "heard", "seen", "")
    quoted = [
        f'{v},"{x}",{a},{b},{splits[k % 4]},{senses[k % 4]}\n'
        for k, (v, x, a, b) in enumerate(rows)
    ]
    texts = {
        "manifest.csv": "video,label,start,end,split,sense\n" + "".join(quoted),
        "manifest.jsonl": "".join(
            f'{{"video": "{v}", "label": "{x}", "start": {a}, "end": {b}}}\n' for v, x, a, b in rows
        ),
        "Annotations.txt": "".join(
            f"{x}&v{k}&good&{a}&{b}\n" for k, (_, x, a, b) in enumerate(rows)
        ),
    }
    texts |= _documents(rows)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in texts]


def _documents(rows: list[tuple[str, str, int, float]]) -> dict[str, str]:
    """Return the rows as UnAV-100's file, and those of one video as ELAN and Label Studio say."""
    from avloc.export.formats.saving import dumps
    from avloc.labels import LabelSet
    from avloc.timeline import Event, Grid, Timeline

    events = tuple(Event(a, b, x, 0.5, "heard") for _, x, a, b in rows)
    labels = LabelSet(("bell", "dog, barking"), kind="independent")
    film = Timeline("v", labels, Grid(8), np.zeros((8, 2), np.float32), events, source="/v.mp4")
    database = {
        f"v{k}": {"subset": "train", "annotations": [{"label": x, "segment": [a, b]}]}
        for k, (_, x, a, b) in enumerate(rows)
    }
    return {
        "film.eaf": dumps(film, "elan"),
        "film.label-studio.json": dumps(film, "label-studio"),
        "unav100_annotations.json": json.dumps({"database": database}, indent=1),
    }


def read_manifest(path: Path) -> Read:
    """Read a data set's rows."""
    from avloc.datasets import load_dataset

    return Read(hash_of(load_dataset(path).rows))


KINDS = {
    "artifacts": Kind(make_artifacts, read_artifact, True, megabytes=64, seconds=20),
    "videos": Kind(make_videos, read_video, False, megabytes=400, seconds=60),
    "manifests": Kind(make_manifests, read_manifest, False, megabytes=64, seconds=20),
}


def hash_of(value: Any) -> str:
    """Return a hash of all that a value holds: types, shapes and bits of arrays."""
    digest = sha256()
    _feed(digest.update, value)
    return digest.hexdigest()


def _feed(take: Callable[[bytes], object], value: Any) -> None:
    if isinstance(value, np.ndarray):
        take(f"{value.dtype}{value.shape}".encode() + np.ascontiguousarray(value).tobytes())
    elif dataclasses.is_dataclass(value):
        _feed(take, [getattr(value, field.name) for field in dataclasses.fields(value)])
    elif isinstance(value, Mapping):
        _feed(take, sorted(value.items()))
    elif isinstance(value, list | tuple):
        take(f"{len(value)}(".encode())
        for part in value:
            _feed(take, part)
    else:
        take(repr(value).encode())
