"""What the classes look and sound like: formulas, or photographs and recordings from folders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from avloc.datasets.synthetic.clip_plan import ObjectPlan, SoundPlan
from avloc.datasets.synthetic.looks import LOOKS, MOTIONS, Drawing, draw
from avloc.datasets.synthetic.media_folders import (
    PICTURE_SUFFIXES,
    FilesBySplit,
    common_classes,
    fingerprint,
    split_files,
)
from avloc.datasets.synthetic.photographs import opened_photograph, read_photograph
from avloc.datasets.synthetic.placement import REACH
from avloc.datasets.synthetic.recordings import opened_recording, read_recording, repeated
from avloc.datasets.synthetic.sounds import SOUNDS, Samples
from avloc.media import AUDIO_SUFFIXES

Motion = Callable[[float], tuple[Drawing, float, float]]
"""From a moment of a turn, 0 to 1, to the drawing and how far it is right and down, -1 to 1."""


class DrawnMaterial:
    """Looks and sounds from formulas, the same in every split."""

    media = ""

    def label(self, class_index: int) -> str:
        """Return a class's label."""
        return f"{SOUNDS[class_index].name} {LOOKS[class_index].shape}"

    def motion(self, plan: ObjectPlan, split: str, height: int) -> Motion:
        """Return how an object moves in pictures of a height."""
        radius, pose_at = plan.size * height / 2, MOTIONS[LOOKS[plan.class_index].motion]

        def motion(turn: float) -> tuple[Drawing, float, float]:
            x, y, angle, scale = pose_at(turn)
            return draw(plan.class_index, angle, scale, radius, plan.hue, plan.grain), x, y

        return motion

    def wave(self, plan: SoundPlan, split: str, rate: int) -> Samples:
        """Return samples of any level for the whole time a sound is heard."""
        start, end = plan.heard
        clock = np.arange((end - start) * rate) / rate
        return SOUNDS[plan.class_index].wave(np.random.default_rng(plan.seed), clock, plan.pitch)

    def describe(self, plan: ObjectPlan | SoundPlan, split: str) -> dict[str, object]:
        """Return what ``synthesis.json`` says of an object or a sound."""
        if isinstance(plan, ObjectPlan):
            return {"look": LOOKS[plan.class_index].shape}
        return {"sound": SOUNDS[plan.class_index].name}


@dataclass(frozen=True)
class MediaMaterial:
    """Photographs and recordings; a clip uses the files of its split only.

    A plan alone decides the file: the object's phase names a photograph, the sound's seed a
    recording.
    """

    pictures: Path
    sounds: Path
    labels: tuple[str, ...]
    photographs: tuple[FilesBySplit, ...]  # by class
    recordings: tuple[FilesBySplit, ...]  # by class
    media: str  # a digest of all files' names and sizes

    @classmethod
    def of_folders(cls, pictures: Path, sounds: Path) -> MediaMaterial:
        """Look through a folder of photographs and one of recordings, a sub-folder a class."""
        labels = common_classes(pictures, sounds)
        photographs = tuple(split_files(pictures, label, PICTURE_SUFFIXES) for label in labels)
        recordings = tuple(split_files(sounds, label, AUDIO_SUFFIXES) for label in labels)
        digests = ""
        for root, classes, opened in (
            (pictures, photographs, opened_photograph),
            (sounds, recordings, opened_recording),
        ):
            for name in (name for files in classes for names in files.values() for name in names):
                with opened(root / name):
                    pass  # its head is what its suffix says
            digests += fingerprint(root, classes)
        media = sha256(digests.encode()).hexdigest()
        return cls(pictures, sounds, labels, photographs, recordings, media)

    def label(self, class_index: int) -> str:
        """Return the name of a class's sub-folders."""
        return self.labels[class_index]

    def motion(self, plan: ObjectPlan, split: str, height: int) -> Motion:
        """Return a photograph that stands still; it takes the room that a motion would take."""
        path = self.pictures / self._file(plan, split)
        drawing = read_photograph(path, round((plan.size + 2 * REACH) * height))
        return lambda turn: (drawing, 0.0, 0.0)

    def wave(self, plan: SoundPlan, split: str, rate: int) -> Samples:
        """Return a recording, repeated for the whole time it is heard."""
        start, end = plan.heard
        recording = read_recording(self.sounds / self._file(plan, split), rate)
        return repeated(recording, (end - start) * rate, rate)

    def describe(self, plan: ObjectPlan | SoundPlan, split: str) -> dict[str, object]:
        """Return what ``synthesis.json`` says of an object or a sound."""
        label, file = self.labels[plan.class_index], self._file(plan, split)
        if isinstance(plan, ObjectPlan):
            return {"look": label, "picture": file}
        return {"sound": label, "recording": file}

    def _file(self, plan: ObjectPlan | SoundPlan, split: str) -> str:
        if isinstance(plan, ObjectPlan):
            names = self.photographs[plan.class_index][split]
            return names[int(plan.phase * len(names))]
        names = self.recordings[plan.class_index][split]
        return names[plan.seed % len(names)]


Material = DrawnMaterial | MediaMaterial
DRAWN = DrawnMaterial()
