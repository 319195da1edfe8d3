"""Clips' messages into features: frames of many clips share a batch, each clip gets its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from avloc.artifacts import VideoFeatures
from avloc.features.batch import Batch, Slot
from avloc.features.decoding import (
    ClipClosed,
    ClipOpened,
    DecodingTask,
    Message,
    PictureSegment,
    SoundSegments,
)
from avloc.features.encoders import Encoders

KeepMaps = Callable[[int, Tensor], None]

_SEGMENTS_AT_ONCE = 64  # kept at once, so that an hour is never in memory


@dataclass
class _PicturesToCome:
    slots: list[Slot]
    which: NDArray[np.int64]


@dataclass
class ClipAssembly:
    """One clip's features as they come together.

    Attributes:
        task: the clip.
        frames: the batch its pictures go into.
        patches: the batch its sound goes into.
        keep_maps: given T and the clip's maps as they are ready, some segments at a time, in
            order: (k, H, W, D) float16 on the device. Bringing them home would wait for the
            device, so that is left to whoever keeps them. It must not hold the clip: both
            would live on, and with them the batch of the clip's last frame.
    """

    task: DecodingTask
    frames: Batch
    patches: Batch
    keep_maps: KeepMaps
    _opened: ClipOpened | None = None
    _closed: ClipClosed | None = None
    _pending: deque[_PicturesToCome] = field(default_factory=deque)
    _last: Slot | None = None
    _maps: list[Tensor] = field(default_factory=list)
    _sounds: list[Slot] = field(default_factory=list)
    _vectors: list[Tensor] = field(default_factory=list)
    _frame_index: list[NDArray[np.int32]] = field(default_factory=list)
    _visual_valid: list[bool] = field(default_factory=list)
    _audio_valid: list[NDArray[np.bool_]] = field(default_factory=list)

    def take(self, message: Message) -> None:
        """Take the clip's next message."""
        match message:
            case ClipOpened():
                self._opened = message
            case PictureSegment():
                self._take_pictures(message)
            case SoundSegments():
                self._sounds += self.patches.put(message.patches)
                self._audio_valid.append(message.is_valid)
            case ClipClosed():
                self._closed = message

    def _take_pictures(self, segment: PictureSegment) -> None:
        slots = self.frames.put(segment.images)
        if segment.is_continued and self._last is not None:
            slots = [self._last, *slots]
        self._last = slots[-1]
        self._pending.append(_PicturesToCome(slots, segment.which))
        self._frame_index.append(segment.frame_index)
        self._visual_valid.append(segment.is_valid)

    def settle(self) -> None:
        """Turn what has been encoded into segments."""
        while self._pending and self._pending[0].slots[-1].value is not None:
            self._maps.append(_mean_map(self._pending.popleft()))
        heard = [slot.value for slot in self._sounds if slot.value is not None]
        if heard:  # batches are filled in order, so these are the first
            self._vectors.append(torch.stack(heard))
            del self._sounds[: len(heard)]
        if self._maps and (len(self._maps) >= _SEGMENTS_AT_ONCE or self.is_complete):
            self.keep_maps(self.n_segments, torch.stack(self._maps))
            self._maps.clear()

    @property
    def n_segments(self) -> int:
        """T of an opened clip."""
        assert self._opened is not None
        return self._opened.grid.n_segments

    @property
    def n_taken(self) -> int:
        """How many segments have come in whole: the picture, which is most of the work, first."""
        n_heard = sum(len(is_valid) for is_valid in self._audio_valid)
        return len(self._visual_valid) or n_heard

    @property
    def is_complete(self) -> bool:
        """Whether the clip was read to its end and every segment encoded."""
        return self._closed is not None and not self._pending and not self._sounds

    def features(self) -> VideoFeatures:
        """Return the features of a complete clip, without the maps; waits for the device."""
        opened, closed = self._opened, self._closed
        assert opened is not None
        assert closed is not None
        spec, times = self.task.spec, opened.grid.segment_times()
        nowhere = np.zeros(len(times), dtype=np.bool_)
        return VideoFeatures(
            video_id=self.task.video_id,
            segment_times=times,
            visual=None,
            audio=torch.cat(self._vectors).cpu().numpy() if opened.has_audio else None,
            frame_index=np.stack(self._frame_index) if opened.has_video else None,
            visual_valid=np.array(self._visual_valid) if opened.has_video else nowhere,
            audio_valid=np.concatenate(self._audio_valid) if opened.has_audio else nowhere,
            duration=opened.duration,
            fps_sampled=float(spec.fps),
            segment_seconds=float(opened.grid.segment_seconds),
            spec=spec,
            flags=closed.flags,
            source=str(self.task.path),
            source_sha256=closed.sha256,
            source_bytes=closed.n_bytes,
            frame_size=opened.frame_size,
        )


class Batches:
    """The two batches that all clips of a run share.

    Args:
        encoders: what they go through.
        batch_size: frames the device takes at once; None chooses.
    """

    def __init__(self, encoders: Encoders, batch_size: int | None) -> None:
        visual, audio = encoders.visual, encoders.audio
        size = batch_size or visual.group
        if encoders.device.type == "cuda":
            visual = replace(visual, group=size)
            audio = replace(audio, group=min(audio.group, size))
        # A CPU keeps its own small group, and with it the same bits; short ones are filled up.
        size = -(-size // visual.group) * visual.group
        self.frames = Batch(visual.encode, size, encoders.device)
        self.patches = Batch(audio.encode, audio.group, encoders.device)

    def assembly(self, task: DecodingTask, keep_maps: KeepMaps) -> ClipAssembly:
        """Return a clip's features to be."""
        return ClipAssembly(task, self.frames, self.patches, keep_maps)

    @property
    def n_encoded(self) -> int:
        """How many frames and patches have been encoded."""
        return self.frames.n_encoded + self.patches.n_encoded

    def flush(self) -> None:
        """Encode what no full batch took along."""
        self.frames.flush()
        self.patches.flush()


def _mean_map(segment: _PicturesToCome) -> Tensor:
    """Return (H, W, D) float16: the mean over a segment's samples, on the device."""
    distinct = [slot.value for slot in segment.slots if slot.value is not None]
    # picked by numbers that are here: an index on the device would wait for the device
    samples = torch.stack([distinct[k] for k in segment.which.tolist()])
    return samples.mean(dim=0).half()
