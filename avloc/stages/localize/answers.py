"""Answers of models to videos: read from files where they are still valid, else made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xxhash import xxh3_64_hexdigest

from avloc.artifacts import (
    ModelFile,
    VideoFeatures,
    localization_key,
    model_identity,
    read_localization,
    read_model,
    sha256_of,
    write_localization,
)
from avloc.artifacts.model_file import refuse_published
from avloc.errors import ArtifactError, AvlocError, MediaError, UnknownNameError
from avloc.events import EventRules
from avloc.export.marks import OWN
from avloc.options import OVERWRITE
from avloc.progress import Progress
from avloc.stages.localize.inputs import InputVideo
from avloc.timeline import Timeline

if TYPE_CHECKING:
    from avloc.localizer import Localizer

ANSWER_SUFFIX = f"{OWN}.h5"
"""The suffix of the first model's answer."""


@dataclass(frozen=True)
class Answer:
    """One model's answer to one video.

    Attributes:
        timeline: the events and scores found by the model.
        key: a hash of all that decides the answer: model, rules and the video's bytes.
        path: its file; None where nothing is written.
        is_reused: it was read from its file.
    """

    timeline: Timeline
    key: str
    path: Path | None
    is_reused: bool


@dataclass(frozen=True)
class ChosenModel:
    """A model that answers videos.

    Attributes:
        path: its file, or the name of one that is in memory only.
        file: what is in it.
        identity: a hash of all that its answers follow from.
        localizer: of a model that is in memory only.
    """

    path: Path
    file: ModelFile
    identity: str
    localizer: Localizer | None = None

    @classmethod
    def at(cls, path: Path) -> ChosenModel:
        """Read a model's file; refuse one that no video can be given to."""
        file = read_model(path)
        refuse_published(file, path)
        return cls(path, file, model_identity(path))


class CachedModels:
    """One or several models that answer videos; each is loaded when a video first needs it.

    Args:
        models: the models.
        rules: what makes an event.
        overwrite: one of `OVERWRITE`.
        load_options: of `avloc.localizer.load`: device, weights, offline.

    Attributes:
        names: the models' names, which are in the names of their answers' files.
        files: what is in the models' files.
        identities: hashes of all that their answers follow from.
        load_error: why a model could not be loaded. It ends a run.
    """

    def __init__(
        self, models: Sequence[ChosenModel], rules: EventRules, overwrite: str, **load_options: Any
    ) -> None:
        if overwrite not in OVERWRITE:
            raise UnknownNameError("way to overwrite", overwrite, OVERWRITE)
        self.paths, self.rules = [model.path for model in models], rules
        self.files, self._overwrite = [model.file for model in models], overwrite
        for file in self.files:
            rules.check_labels(file.labels)
        stems = [path.stem for path in self.paths]
        self.names = [
            f"{stem}-{stems[:n].count(stem) + 1}" if stem in stems[:n] else stem
            for n, stem in enumerate(stems)
        ]
        self._suffixes = [
            f"{OWN}.{name}.h5" if n else ANSWER_SUFFIX for n, name in enumerate(self.names)
        ]
        self.identities = [model.identity for model in models]
        self._load_options = load_options
        self._loaded = {n: m.localizer for n, m in enumerate(models) if m.localizer is not None}
        self.load_error: AvlocError | None = None

    def results(self, video: InputVideo) -> list[Path]:
        """Return the paths of the models' answers to a video."""
        return [video.result(suffix) for suffix in self._suffixes]

    def prepare(self, video: InputVideo) -> None:
        """Load the models of which a video has no answer yet."""
        for n, suffix in enumerate(self._suffixes):
            if not video.result(suffix).exists():
                self._localizer(n)

    def answers(self, video: InputVideo, progress: Progress, *, is_written: bool) -> list[Answer]:
        """Return each model's answer to a video.

        Args:
            video: the video.
            progress: called with (segments done, segments, video id).
            is_written: False reads and writes no file but the video.
        """
        sha256 = _sha256_of(video.file)
        features: dict[str, VideoFeatures] = {}  # by fingerprint: models may share encoders
        answers = []
        for n, (identity, suffix) in enumerate(zip(self.identities, self._suffixes, strict=True)):
            key = digest({"model": identity, "rules": asdict(self.rules), "video": sha256})
            path = video.result(suffix) if is_written else None
            answer = self._reused(video, path, key)
            if answer is None:
                localizer = self._localizer(n)
                fingerprint = localizer.model_file.fingerprint
                if fingerprint not in features:
                    features[fingerprint] = _features(video, localizer, progress, sha256)
                timeline = localizer.of_features(features[fingerprint], self.rules)
                if path is not None:
                    write_localization(path, timeline, key=key)
                answer = Answer(timeline, key, path, is_reused=False)
            answers.append(answer)
        return answers

    def _reused(self, video: InputVideo, path: Path | None, key: str) -> Answer | None:
        """Return a file's answer if it is valid, under the key that it was made with."""
        if path is None or self._overwrite == "always":
            return None
        stored_key = localization_key(path)
        if self._overwrite == "stale" and stored_key != key:
            return None
        try:
            timeline = read_answer(path, video)
        except ArtifactError:
            return None
        return Answer(timeline, stored_key, path, is_reused=True)

    def _localizer(self, n: int) -> Localizer:
        if n not in self._loaded:
            from avloc.localizer import load  # imports torch, which reading an answer does not need

            try:
                loaded = tuple(self._loaded.values())
                self._loaded[n] = load(self.paths[n], beside=loaded, **self._load_options)
            except AvlocError as error:
                self.load_error = error
                raise
        return self._loaded[n]


def read_answer(path: Path, video: InputVideo) -> Timeline:
    """Read a video's answer, under the name of the video now: it may have been renamed since."""
    timeline = read_localization(path)
    return replace(timeline, video_id=video.video_id, source=str(video.path))


def digest(parts: object) -> str:
    """Return a short hash of plain values."""
    return xxh3_64_hexdigest(json.dumps(parts, sort_keys=True).encode())


def _features(
    video: InputVideo, localizer: Localizer, progress: Progress, sha256: str
) -> VideoFeatures:
    from avloc.features import extract_video

    features = extract_video(
        video.file,
        localizer.encoders,
        video_id=video.video_id,
        progress=progress,
        sha256=sha256,
    )
    return replace(features, source=str(video.path))


def _sha256_of(video: Path) -> str:
    try:
        return sha256_of(video)
    except OSError as error:
        reason = f"{video} cannot be read: {error.strerror}"
        raise MediaError(reason, "Check its permissions.") from error
