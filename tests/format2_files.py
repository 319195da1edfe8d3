"""Files of format 2 as avloc wrote them at commit 2a8143d: background among the classes.

Transcribed from that version's writers: a model has one temperature, and its labels no kind; a
segment of predictions has one class; events have no sense.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from xxhash import xxh3_128_hexdigest

from avloc.artifacts import ModelFile, VideoFeatures

LABELS = {"names": ["bark", "Kirchenglocke, groß"], "background": "background"}
SCORES = np.array([[0.5, 0.25, 0.25], [0.75, 0.125, 0.125], [0, 0, 1]], np.float32)


def write_2(path: Path, kind: str, arrays: Mapping[str, Any], header: dict[str, object]) -> None:
    """Write a file: its arrays by path, and its header."""
    stamps = [f"avloc.{kind}/2", "0.1.0", "2026-11-20T10:00:00+00:00"]
    with h5py.File(path, "w") as file:
        records = {}
        for name, value in arrays.items():
            array = np.asarray(value)
            file.create_dataset(name, data=array)
            records[name] = {
                "dtype": array.dtype.str,
                "shape": list(array.shape),
                "xxh3_128": xxh3_128_hexdigest(array.tobytes()),
            }
        raw = json.dumps(header | {"arrays": records}, sort_keys=True, ensure_ascii=False).encode()
        file.create_dataset("header", data=np.frombuffer(raw, np.uint8))
        digest = xxh3_128_hexdigest("\n".join(stamps).encode() + b"\n" + raw)
        names = ("schema", "avloc_version", "created", "digest")
        file.attrs.update(
            {n: np.bytes_(text) for n, text in zip(names, [*stamps, digest], strict=True)}
        )


def write_features_2(path: Path, it: VideoFeatures) -> None:
    arrays = ("visual", "segment_times", "audio", "frame_index", "visual_valid", "audio_valid")
    shown = {name: value for name, value in vars(it).items() if name not in arrays}
    header = shown | {"spec": asdict(it.spec), "fingerprint": it.fingerprint}
    write_2(path, "features", {name: getattr(it, name) for name in arrays}, header)


def write_model_2(path: Path, it: ModelFile, **changes: object) -> None:
    groups = ("weights", "history", "resume")
    arrays = {f"{g}/{name}": value for g in groups for name, value in getattr(it, g).items()}
    names = ("name", "config", "supervision", "n_segments", "segment_seconds", "metrics", "seed")
    header = {name: getattr(it, name) for name in (*names, "data", "training", "fingerprint")}
    labels = {"names": it.labels.names, "background": it.labels.background}
    (temperature,) = it.temperatures
    more = {"labels": labels, "feature_spec": asdict(it.spec), "temperature": temperature}
    write_2(path, "model", arrays, header | more | changes)


def write_predictions_2(path: Path) -> None:
    arrays = {"scores": SCORES[None], "targets": np.array([[0, 0, -1]]), "rows": np.array([7])}
    names = {"video_ids": ["clip"], "split": "test", "model": "cman", "fingerprint": "f00d"}
    write_2(path, "predictions", arrays, names | {"labels": LABELS})


def write_localization_2(path: Path, key: str = "a key") -> None:
    event = {"start": 0.0, "end": 1.0, "label": "bark", "score": 0.625}
    header = {
        **{"video_id": "clip", "labels": LABELS, "segment_seconds": "1/2", "events": [event]},
        **{"frame_size": [64, 48], "duration": 1.4, "source": "clip.mp4", "model": "cman"},
        **{"fingerprint": "f00d", "flags": [], "key": key},
    }
    arrays = {"scores": SCORES, "gate_audio": np.full(3, 0.5, np.float32)}
    write_2(path, "localization", arrays, header)


def write_comparison_2(path: Path) -> None:
    arrays = {
        **{"seeds": np.array([0]), "interval": np.full((1, 2), 0.5), "paper": np.array([np.nan])},
        "metrics/segment_accuracy": np.array([[0.5]]),
    }
    header = {
        **{"table": "table1", "supervision": "full", "titles": ["A"]},
        **{"baselines": {}, "made": {"decoder": "argmax per segment"}},
    }
    write_2(path, "comparison", arrays, header)
