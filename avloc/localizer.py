"""A video in, its timeline out: features, windows, one model, attention and gates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from avloc.artifacts import ModelFile, VideoFeatures, read_model
from avloc.artifacts.published_arrays import refuse_published
from avloc.errors import FingerprintError, MediaError, UsageError
from avloc.events import EventRules, events_from_scores
from avloc.features import Encoders, WeightsPolicy, encoders_for, extract_video
from avloc.models import ModelOutput, restore
from avloc.progress import Progress
from avloc.timeline import Grid, Timeline


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
        weights: a folder that is searched for the encoders' weight files first.
        offline: never open a socket.
        beside: localizers whose encoders are shared where they are the same.

    Raises:
        ArtifactError: it is no model file. WeightsError: an encoder's weights cannot be had.
        FingerprintError: the encoders here would not give the features it was trained on, or
        it was trained on published features, whose encoders are not here at all.
    """
    model_file = read_model(model)
    refuse_published(model_file.spec, model)
    for other in beside:
        if other.model_file.fingerprint == model_file.fingerprint:
            return Localizer(model_file, other.encoders)
    policy = WeightsPolicy(folder=weights, offline=offline)
    return Localizer(model_file, encoders_for(model_file.spec, device=device, weights=policy))


class Localizer:
    """Turns videos into timelines: ``localizer("clip.mp4")``.

    Attributes:
        model_file: the model, with its labels and training window.
        encoders: what turns a video into the features the model knows.
    """

    def __init__(self, model_file: ModelFile, encoders: Encoders) -> None:
        self.model_file = model_file
        self.encoders = encoders
        self._device = encoders.device
        self._model = restore(model_file, self._device)

    def __call__(
        self,
        video: Path | str,
        rules: EventRules | None = None,
        progress: Progress | None = None,
    ) -> Timeline:
        """Localize the events of a video of any length.

        Args:
            video: the file.
            rules: what makes an event; the winning label of each segment by default.
            progress: called with (segments done, segments, video id).

        Raises:
            MediaError: the video cannot be opened or decoded, or lacks the one modality that
            the model looks at. UnknownNameError: the rules name a label that the model does
            not know.
        """
        return self.of_features(extract_video(Path(video), self.encoders, progress=progress), rules)

    def of_features(self, features: VideoFeatures, rules: EventRules | None = None) -> Timeline:
        """Localize events in features that were already extracted.

        A video longer than the training window is seen through windows that overlap by half;
        each segment's answer is their mean, weighted by how far the segment is from the
        window's rim, where context is short.

        Raises:
            FingerprintError: the model was not trained on such features. MediaError: they lack
            the one modality that the model looks at.
        """
        self._refuse_other_features(features)
        self._refuse_missing_modality(features)
        visual, audio = self._inputs(features)
        outputs = blend(
            features.n_segments,
            (
                (window, self._run(visual[window], audio[window]))
                for window in windows(features.n_segments, self.model_file.n_segments)
            ),
        )
        scores = outputs.pop("scores")
        if features.visual is None:
            outputs.pop("attention", None)  # there is no picture that it could lie over
        grid = Grid(features.n_segments, Fraction(features.segment_seconds).limit_denominator())
        return Timeline(
            video_id=features.video_id,
            labels=self.model_file.labels,
            grid=grid,
            scores=scores,
            events=events_from_scores(
                scores, grid, self.model_file.labels, rules, features.duration
            ),
            **outputs,
            frame_size=features.frame_size,
            duration=features.duration,
            source=features.source,
            model=self.model_file.name,
            fingerprint=features.fingerprint,
            flags=features.flags,
        )

    def _inputs(self, features: VideoFeatures) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return both modalities; one that the video lacks is zeros, as in training."""
        n_segments, encoders = features.n_segments, self.encoders
        visual, audio = features.visual, features.audio
        if visual is None:
            shape = (n_segments, *encoders.visual.grid, encoders.visual.channels)
            visual = np.zeros(shape, np.float16)
        if audio is None:
            audio = np.zeros((n_segments, encoders.audio.channels), np.float32)
        return visual, audio

    @torch.inference_mode()
    def _run(self, visual: NDArray[Any], audio: NDArray[Any]) -> dict[str, NDArray[np.float32]]:
        output: ModelOutput = self._model(
            torch.from_numpy(visual).to(self._device).float()[None],
            torch.from_numpy(audio).to(self._device).float()[None],
        )
        tensors = {
            "scores": self._model.probabilities(output.logits),
            "attention": output.attention,
            "gate_visual": output.gate_visual,
            "gate_audio": output.gate_audio,
        }
        return {
            name: tensor[0].cpu().numpy() for name, tensor in tensors.items() if tensor is not None
        }

    def _refuse_other_features(self, features: VideoFeatures) -> None:
        if features.fingerprint != self.model_file.fingerprint:
            raise FingerprintError(
                f"the model was trained on features {self.model_file.fingerprint},"
                f" {features.video_id} has {features.fingerprint}",
                "Extract the video with the model's own encoders.",
            )

    def _refuse_missing_modality(self, features: VideoFeatures) -> None:
        has = {"visual": features.visual is not None, "audio": features.audio is not None}
        if not has.get(self._model.modalities, True):
            word = {"visual": "picture", "audio": "sound"}[self._model.modalities]
            raise MediaError(
                f"{features.source or features.video_id} has no {word}, and the model "
                f"{self.model_file.name} looks at nothing else",
                "Use a model of both modalities.",
            )


def windows(n_segments: int, window: int) -> list[slice]:
    """Return the windows over a video: each starts half a window after the one before.

    Args:
        n_segments: T of the video.
        window: T of the model's training. A shorter video is one window of its own length;
            the last window ends with the video.

    Raises:
        UsageError: either is not positive.
    """
    if n_segments < 1 or window < 1:
        raise UsageError(f"cannot lay windows of {window} over {n_segments} segments")
    if n_segments <= window:
        return [slice(0, n_segments)]
    last = n_segments - window
    starts = [*range(0, last, max(1, window // 2)), last]
    return [slice(start, start + window) for start in starts]


def blend(
    n_segments: int, parts: Iterator[tuple[slice, dict[str, NDArray[np.float32]]]]
) -> dict[str, NDArray[np.float32]]:
    """Average what overlapping windows say of each segment.

    Args:
        n_segments: T of the video.
        parts: each window with its outputs, arrays of shape (window, ...).

    Returns:
        The same outputs with shape (T, ...). Weighted means of distributions are
        distributions: scores, attention and the pair of gates still sum to 1.
    """
    sums: dict[str, NDArray[np.float64]] = {}
    total = np.zeros(n_segments)
    for window, outputs in parts:
        length = window.stop - window.start
        weight = np.minimum(np.arange(1, length + 1), np.arange(length, 0, -1)).astype(float)
        total[window] += weight
        for name, array in outputs.items():
            shaped = weight.reshape(-1, *[1] * (array.ndim - 1))
            sums.setdefault(name, np.zeros((n_segments, *array.shape[1:])))[window] += (
                shaped * array
            )
    return {
        name: (array / total.reshape(-1, *[1] * (array.ndim - 1))).astype(np.float32)
        for name, array in sums.items()
    }
