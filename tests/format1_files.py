"""Features and models of format 1 as avloc 0.1 wrote them: texts of variable length, no digest.

Transcribed from that version's writers, so that today's readers meet what is on people's disks.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from avloc.artifacts import ModelFile, VideoFeatures


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _labels(labels: Any) -> str:
    return _json({"names": list(labels.names), "background": labels.background})


def _arrays(file: h5py.Group, thing: Any, *names: str) -> None:
    for name in names:
        if getattr(thing, name) is not None:
            file.create_dataset(name, data=getattr(thing, name))


def _plain(file: h5py.File, thing: Any, *names: str) -> None:
    file.attrs.update({name: getattr(thing, name) for name in names})


def new_file_1(path: Path, kind: str) -> h5py.File:
    """Begin a file with what files of all kinds had."""
    path.parent.mkdir(exist_ok=True)
    file = h5py.File(path, "w")
    file.attrs["schema"] = f"avloc.{kind}/1"
    file.attrs["avloc_version"] = "0.1.0"
    file.attrs["created"] = "2026-11-01T10:00:00+00:00"
    return file


def write_old_features(path: Path, it: VideoFeatures) -> None:
    with new_file_1(path, "features") as file:
        _arrays(file, it, "visual", "segment_times", "audio", "frame_index")
        _arrays(file, it, "visual_valid", "audio_valid")
        _plain(file, it, "video_id", "duration", "fps_sampled", "segment_seconds", "fingerprint")
        _plain(file, it, "source", "source_sha256", "source_bytes")
        file.attrs["spec"] = _json(asdict(it.spec))
        file.attrs["flags"] = _json(list(it.flags))
        file.attrs["frame_size"] = _json(it.frame_size)


def write_old_model(path: Path, it: ModelFile) -> None:
    with new_file_1(path, "model") as file:
        _plain(file, it, "name", "fingerprint", "supervision", "n_segments", "segment_seconds")
        _plain(file, it, "seed")
        (file.attrs["temperature"],) = it.temperatures
        for name in ("config", "metrics", "data", "training"):
            file.attrs[name] = _json(dict(getattr(it, name)))
        file.attrs["feature_spec"] = _json(asdict(it.spec))
        file.attrs["labels"] = _labels(it.labels)
        for group in ("weights", "history", "resume"):
            arrays = file.create_group(group)
            for name, array in getattr(it, group).items():
                arrays.create_dataset(name, data=np.asarray(array))
