"""One video's answers: those that are there already and still hold, the others made now."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from avloc.artifacts import (
    VideoFeatures,
    localization_key,
    read_localization,
    write_localization,
)
from avloc.errors import ArtifactError, MediaError, UnknownNameError
from avloc.events import EventRules
from avloc.features import extract_video
from avloc.features.overwriting import OVERWRITE
from avloc.features.weights import sha256_of
from avloc.localization import Localizer, load
from avloc.progress import Progress
from avloc.stages.inputs import Input
from avloc.timeline import Timeline

_HALVES = {"no_audio": ("sound", "picture"), "no_video": ("picture", "sound")}


@dataclass(frozen=True)
class Answer:
    """What one model says of a video.

    Attributes:
        timeline: it.
        key: stands for all that it follows from: model, rules and the video's own bytes.
        path: its file; None where nothing is to be kept.
        is_kept: the file was there, made of the same.
    """

    timeline: Timeline
    key: str
    path: Path | None
    is_kept: bool


class Answerer:
    """Answers videos with one model or several.

    Args:
        models: the models' files by the names that their answers' files bear; the first
            one's answer is a video's own.
        rules: what makes an event.
        overwrite: ``stale`` keeps an answer that follows from the same model, rules and
            video, ``never`` any that can be read, ``always`` none.
        device: ``auto``, ``cpu``, ``cuda``, ...
        weights: a folder that is searched for the encoders' weight files first.
        offline: never open a socket.

    Raises:
        UnknownNameError: no such way to overwrite, or a model knows no label of the rules.
        ArtifactError: no model file. WeightsError: an encoder's weights cannot be had.
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
        self.localizers: list[Localizer] = []
        for path in models.values():
            localizer = load(
                path, device=device, weights=weights, offline=offline, beside=self.localizers
            )
            rules.check_labels(localizer.model_file.labels)
            self.localizers.append(localizer)
        self._names = list(models)
        self._digests = [sha256_of(path) for path in models.values()]
        self._rules, self._overwrite = rules, overwrite

    def __call__(
        self, one: Input, *, is_kept: bool = True, progress: Progress | None = None
    ) -> list[Answer]:
        """Return each model's answer to a video.

        Args:
            one: the video.
            is_kept: whether answers are files; else nothing is read or written.
            progress: called with (segments done, segments, video id).

        Raises:
            MediaError: the video cannot be decoded. OutputError: an answer cannot be written.
        """
        if one.error is not None:
            raise one.error
        reading = _Reading(one, progress)
        return [self._answer(n, one, reading, is_kept) for n in range(len(self.localizers))]

    def note(self, timeline: Timeline) -> str:
        """Say on which half an answer rests where the other is missing; else nothing."""
        model = self.localizers[0].model_file
        missing = [flag for flag in _HALVES if flag in timeline.flags]
        if not missing or model.config.get("modalities", "both") != "both":
            return ""
        lacking, other = _HALVES[missing[0]]
        note = f"no {lacking}: answered from the {other} alone"
        if not model.training.get("modality_dropout"):
            note += ", for which the model was not trained (--set modality_dropout=0.2)"
        return note

    def _answer(self, n: int, one: Input, reading: _Reading, is_kept: bool) -> Answer:
        key = digest(
            {"model": self._digests[n], "rules": asdict(self._rules), "video": reading.digest}
        )
        path = one.result(self._suffix(n)) if is_kept else None
        there = None if path is None else self._there(path, key)
        if there is not None:
            own = replace(there, video_id=one.video_id, source=str(one.video))
            return Answer(own, key, path, True)
        localizer = self.localizers[n]
        timeline = localizer.of_features(reading.features(localizer), self._rules)
        if path is not None:
            write_localization(path, timeline, key=key)
        return Answer(timeline, key, path, False)

    def _suffix(self, n: int) -> str:
        return f".{self._names[n]}.avloc.h5" if n else ".avloc.h5"

    def _there(self, path: Path, key: str) -> Timeline | None:
        """Return an answer that is there and still holds."""
        if self._overwrite == "always":
            return None
        if self._overwrite == "stale" and localization_key(path) != key:
            return None
        try:
            return read_localization(path)
        except ArtifactError:
            return None


class _Reading:
    """A video as it is read for several models: once, and once an encoders' fingerprint."""

    def __init__(self, one: Input, progress: Progress | None) -> None:
        self.digest = _sha256_of(one.video)
        self._one, self._progress = one, progress
        self._features: dict[str, VideoFeatures] = {}

    def features(self, localizer: Localizer) -> VideoFeatures:
        fingerprint = localizer.model_file.fingerprint
        if fingerprint not in self._features:
            self._features[fingerprint] = extract_video(
                self._one.video,
                localizer.encoders,
                video_id=self._one.video_id,
                progress=self._progress,
            )
        return self._features[fingerprint]


def digest(parts: object) -> str:
    """Return a short hash of plain values."""
    text = json.dumps(parts, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _sha256_of(video: Path) -> str:
    try:
        return sha256_of(video)
    except OSError as error:
        reason = f"{video} cannot be read: {error.strerror}"
        raise MediaError(reason, "Check its permissions.") from error
