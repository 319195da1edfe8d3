"""A video to its timeline: features, one model, events."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from avloc.artifacts import Location, ModelFile, VideoFeatures, read_model
from avloc.artifacts.model_file import refuse_published
from avloc.errors import FingerprintError, MediaError
from avloc.events import EventRules, events_from_scores, surest_labels
from avloc.features import Encoders, WeightsPolicy, encoders_for, extract_video
from avloc.inference import infer, label_maps
from avloc.models import restore
from avloc.progress import Progress
from avloc.timeline import ClipScore, FloatArray, Grid, Timeline, best_seconds


def load(
    model: Path | str,
    *,
    device: str = "auto",
    weights: Path | None = None,
    offline: bool = False,
    beside: Sequence[Localizer] = (),
) -> Localizer:
    """Load a model file and the encoders it was trained on.

    Args:
        model: a model file that `avloc.train` wrote.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``.
        weights: a folder with weight files, searched before any download.
        offline: never use the network.
        beside: localizers whose encoders are shared where they are the same.

    Raises:
        ArtifactError: it is not a model file.
        WeightsError: an encoder's weights are missing.
        FingerprintError: the encoders here do not give the features it was trained on, or it was
            trained on published features.
    """
    model_file = read_model(model)
    refuse_published(model_file, model)
    for other in beside:
        if other.model_file.fingerprint == model_file.fingerprint:
            return Localizer(model_file, other.encoders)
    policy = WeightsPolicy(folder=weights, offline=offline)
    return Localizer(model_file, encoders_for(model_file.spec, device=device, weights=policy))


class Localizer:
    """Turns videos into timelines: ``localizer("clip.mp4")``.

    Attributes:
        model_file: the model, with its labels and training window.
        encoders: turn a video into the features that the model was trained on.
    """

    def __init__(self, model_file: ModelFile, encoders: Encoders) -> None:
        self.model_file = model_file
        self.encoders = encoders
        self._model = restore(model_file, encoders.device)

    def __call__(
        self,
        video: Location | str,
        rules: EventRules | None = None,
        progress: Progress | None = None,
    ) -> Timeline:
        """Localize the events of a video of any length.

        Args:
            video: the file, or its address.
            rules: what makes an event; by default, the model's thresholds.
            progress: called with (segments done, segments, video id).

        Raises:
            MediaError: the video cannot be decoded, or lacks the one modality that the model
                takes.
            UnknownNameError: the rules name a label that the model does not know.
        """
        return self.of_features(extract_video(video, self.encoders, progress=progress), rules)

    def of_features(self, features: VideoFeatures, rules: EventRules | None = None) -> Timeline:
        """Localize events in features that were already extracted.

        A video longer than the training window is seen in windows (`avloc.inference.infer`).

        Raises:
            FingerprintError: the model was not trained on such features.
            MediaError: they lack the one modality that the model takes.
        """
        self._check(features)
        visual, audio = (torch.from_numpy(array)[None] for array in self._inputs(features))
        batch = infer(self._model, visual, audio, self.model_file.n_segments)
        outputs = {name: array[0] for name, array in batch.items()}
        scores = outputs.pop("scores")
        rivals = outputs.pop("rivals", None)
        if features.visual is None:
            outputs.pop("attention", None)
        for sense, modality in (("heard", features.audio), ("seen", features.visual)):
            if modality is None:
                outputs.pop(sense, None)  # what a model guesses from nothing is not evidence
        labels = self.model_file.labels
        grid = Grid(features.n_segments, Fraction(features.segment_seconds).limit_denominator())
        events = events_from_scores(
            scores,
            grid,
            labels,
            rules,
            features.duration,
            thresholds=np.array(self.model_file.thresholds, np.float32),
            sense_thresholds=self.model_file.sense_thresholds,
            heard=outputs.get("heard"),
            seen=outputs.get("seen"),
        )
        if self._model.has_label_maps:
            wanted = rules.labels if rules else ()
            chosen = surest_labels(scores, grid, labels, events, wanted)
            said = {name: array[None] for name, array in outputs.items()}
            maps = label_maps(self._model, visual, said, chosen[None])
            outputs |= {} if maps is None else {"attention": maps[0]}
        return Timeline(
            video_id=features.video_id,
            labels=labels,
            grid=grid,
            scores=scores,
            events=events,
            rival=None if rivals is None else self._strongest_rival(rivals, grid),
            **outputs,
            frame_size=features.frame_size,
            duration=features.duration,
            source=features.source,
            model=self.model_file.name,
            fingerprint=features.fingerprint,
            flags=features.flags + ("senses_unknown",) * (not outputs.keys() & {"heard", "seen"}),
        )

    def _strongest_rival(self, rivals: FloatArray, grid: Grid) -> ClipScore:
        names = cast(Sequence[str], self.model_file.data["rivals"])
        values = best_seconds(rivals, grid)
        best = int(values.argmax())
        return ClipScore(names[best], float(values[best]))

    def _inputs(self, features: VideoFeatures) -> tuple[NDArray[Any], NDArray[Any]]:
        # A modality that the video lacks is zeros, as in training.
        visual, audio = features.visual, features.audio
        if visual is None:
            visual = np.zeros((features.n_segments, *self.encoders.visual.embedding), np.float16)
        if audio is None:
            audio = np.zeros((features.n_segments, *self.encoders.audio.embedding), np.float32)
        return visual, audio

    def _check(self, features: VideoFeatures) -> None:
        if features.fingerprint != self.model_file.fingerprint:
            raise FingerprintError(
                f"the model was trained on features {self.model_file.fingerprint},"
                f" {features.video_id} has {features.fingerprint}",
                "Extract the video with the model's own encoders.",
            )
        words = {"visual": "picture", "audio": "sound"}
        modality = self._model.modalities
        if modality in words and getattr(features, modality) is None:
            raise MediaError(
                f"{features.source or features.video_id} has no {words[modality]}, and the model "
                f"{self.model_file.name} takes nothing else",
                "Use a model of both modalities.",
            )
