"""One video's answers: those that are there already and still hold, the others made now."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from xxhash import xxh3_64_hexdigest

from avloc.artifacts import (
    VideoFeatures,
    localization_key,
    model_identity,
    read_localization,
    read_model,
    write_localization,
)
from avloc.artifacts.published_arrays import refuse_published
from avloc.errors import ArtifactError, AvlocError, MediaError, UnknownNameError
from avloc.events import EventRules
from avloc.export.marks import OWN
from avloc.options import OVERWRITE
from avloc.progress import Progress
from avloc.stages.localize.inputs import Input
from avloc.timeline import Timeline

if TYPE_CHECKING:
    from avloc.localizer import Localizer

ANSWER = f"{OWN}.h5"
"""How the name of a video's own answer ends."""
_HALVES = {"no_audio": ("sound", "picture"), "no_video": ("picture", "sound")}


@dataclass(frozen=True)
class Answer:
    """What one model says of a video.

    Attributes:
        timeline: the events and scores found by the model.
        key: stands for all that it follows from: model, rules and the video's own bytes.
        path: its file; None where nothing is to be written.
        is_kept: the file was there already.
    """

    timeline: Timeline
    key: str
    path: Path | None
    is_kept: bool


class Answerer:
    """Answers videos with one model or several; loads a model when first it must answer.

    Args:
        models: the models' files by the names that their answers' files bear; the first
            one's answer is a video's own.
        rules: what makes an event.
        overwrite: ``stale`` keeps an answer that follows from the same model, rules and
            video, ``never`` any that can be read, ``always`` none.
        device: ``auto``, ``cpu``, ``cuda``, ...
        weights: a folder that is searched for the encoders' weight files first.
        offline: never open a socket.

    Attributes:
        models: what is in the models' files.
        failure: why a model cannot be loaded, which ends a run; None if none was refused.

    Raises:
        UnknownNameError: no such way to overwrite, or a model knows no label of the rules.
        ArtifactError: no model file, or one that cannot answer videos.
    """

    def __init__(
        self,
        models: Mapping[str, Path],
        rules: EventRules,
        overwrite: str = "stale",
        *,
        device: str = "auto",
        weights: Path | None = None,
        offline: bool = False,
    ) -> None:
        if overwrite not in OVERWRITE:
            raise UnknownNameError("way to overwrite", overwrite, OVERWRITE)
        self.models = [read_model(path) for path in models.values()]
        for model, path in zip(self.models, models.values(), strict=True):
            refuse_published(model.spec, path)
            rules.check_labels(model.labels)
        self.failure: AvlocError | None = None
        self._names, self._paths = list(models), list(models.values())
        self._identities = [model_identity(path) for path in self._paths]
        self._rules, self._overwrite = rules, overwrite
        self._device, self._weights, self._offline = device, weights, offline
        self._loaded: dict[int, Localizer] = {}

    def __call__(
        self, one: Input, *, is_written: bool = True, progress: Progress | None = None
    ) -> list[Answer]:
        """Return each model's answer to a video.

        Args:
            one: the video.
            is_written: whether answers are files; else nothing is read or written.
            progress: called with (segments done, segments, video id).

        Raises:
            MediaError: the video cannot be decoded. OutputError: an answer cannot be written.
            WeightsError, FingerprintError: a model cannot be loaded; ``failure`` is this error.
        """
        if one.error is not None:
            raise one.error
        reading = _Reading(one, progress)
        return [self._answer(n, one, reading, is_written) for n in range(len(self.models))]

    def prepare(self, one: Input) -> None:
        """Load the models that a video has no answer of yet.

        Raises:
            WeightsError, FingerprintError, ArtifactError: one cannot be loaded.
        """
        for n in range(len(self.models)):
            if not one.result(self._suffix(n)).exists():
                self._localizer(n)

    def note(self, timeline: Timeline) -> str:
        """Say on which half an answer rests where the other is missing; else nothing."""
        model = self.models[0]
        missing = [flag for flag in _HALVES if flag in timeline.flags]
        if not missing or model.config.get("modalities", "both") != "both":
            return ""
        lacking, other = _HALVES[missing[0]]
        note = f"no {lacking}: answered from the {other} alone"
        if not model.training.get("modality_dropout"):
            note += ", for which the model was not trained (--set modality_dropout=0.2)"
        return note

    def _answer(self, n: int, one: Input, reading: _Reading, is_written: bool) -> Answer:
        parts = {"model": self._identities[n], "rules": asdict(self._rules)}
        key = digest({**parts, "video": reading.sha256})
        path = one.result(self._suffix(n)) if is_written else None
        there = None if path is None else self._there(path, key)
        if there is not None:
            return replace(there, timeline=_renamed(there.timeline, one))
        localizer = self._localizer(n)
        timeline = localizer.of_features(reading.features(localizer), self._rules)
        if path is not None:
            write_localization(path, timeline, key=key)
        return Answer(timeline, key, path, False)

    def _localizer(self, n: int) -> Localizer:
        if n not in self._loaded:
            from avloc.localizer import load  # costs torch, which an answer in a file does not

            try:
                self._loaded[n] = load(
                    self._paths[n],
                    device=self._device,
                    weights=self._weights,
                    offline=self._offline,
                    beside=tuple(self._loaded.values()),
                )
            except AvlocError as error:
                self.failure = error
                raise
        return self._loaded[n]

    def _suffix(self, n: int) -> str:
        return f"{OWN}.{self._names[n]}.h5" if n else ANSWER

    def _there(self, path: Path, key: str) -> Answer | None:
        """Return an answer that is there and still holds, under the key that it was made with."""
        if self._overwrite == "always":
            return None
        own = localization_key(path)
        if self._overwrite == "stale" and own != key:
            return None
        try:
            return Answer(read_localization(path), own, path, True)
        except ArtifactError:
            return None


class _Reading:
    """A video as it is read for several models: once, and once an encoders' fingerprint."""

    def __init__(self, one: Input, progress: Progress | None) -> None:
        self._one, self._progress = one, progress
        self._features: dict[str, VideoFeatures] = {}

    @cached_property
    def sha256(self) -> str:
        return _sha256_of(self._one.video)

    def features(self, localizer: Localizer) -> VideoFeatures:
        from avloc.features import extract_video

        fingerprint = localizer.model_file.fingerprint
        if fingerprint not in self._features:
            self._features[fingerprint] = extract_video(
                self._one.video,
                localizer.encoders,
                video_id=self._one.video_id,
                progress=self._progress,
                sha256=self.sha256,
            )
        return self._features[fingerprint]


def digest(parts: object) -> str:
    """Return a short hash of plain values."""
    return xxh3_64_hexdigest(json.dumps(parts, sort_keys=True).encode())


def _renamed(timeline: Timeline, one: Input) -> Timeline:
    return replace(timeline, video_id=one.video_id, source=str(one.video))


def _sha256_of(video: Path) -> str:
    try:
        with video.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        reason = f"{video} cannot be read: {error.strerror}"
        raise MediaError(reason, "Check its permissions.") from error
