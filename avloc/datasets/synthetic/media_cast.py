"""Classes from folders: real photographs are seen, real recordings are heard."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from avloc.datasets.synthetic.cast import Actor
from avloc.datasets.synthetic.composition import ObjectPlan, SoundPlan
from avloc.datasets.synthetic.folders import (
    PICTURE_SUFFIXES,
    SOUND_SUFFIXES,
    Parts,
    common_classes,
    fingerprint,
    parts_of,
)
from avloc.datasets.synthetic.photographs import Photograph, check_photograph
from avloc.datasets.synthetic.recordings import check_recording, read_recording, repeated
from avloc.datasets.synthetic.sounds import Samples


@dataclass(frozen=True)
class MediaCast:
    """Photographs and recordings; a clip draws from its own split's part only.

    Which file it is follows from the plan alone: a photograph from the object's phase, since
    it has no motion to begin, and a recording from the sound's seed.

    Attributes:
        pictures: the folder of photographs, a sub-folder a class, and
        sounds: the folder of recordings.
        labels: the classes, sorted.
        seen: by class, the photographs of every split, and
        heard: the recordings.
        media: a digest of the lists of files.
    """

    pictures: Path
    sounds: Path
    labels: tuple[str, ...]
    seen: tuple[Parts, ...]
    heard: tuple[Parts, ...]
    media: str

    def label(self, kind: int) -> str:
        """Return the name of the class's sub-folders."""
        return self.labels[kind]

    def actor(self, plan: ObjectPlan, split: str, height: int) -> Actor:
        """Return the plan's photograph.

        Raises:
            DatasetError: it cannot be read.
        """
        return Photograph(self.pictures / self._photograph(plan, split), plan, height)

    def wave(self, plan: SoundPlan, split: str, rate: int) -> Samples:
        """Return the plan's recording, as often as it takes.

        Raises:
            DatasetError: it cannot be read, or is silent.
        """
        start, end = plan.heard
        recording = read_recording(self.sounds / self._recording(plan, split), rate)
        return repeated(recording, (end - start) * rate, rate)

    def seen_as(self, plan: ObjectPlan, split: str) -> dict[str, str]:
        """Name the class and the photograph."""
        return {"look": self.labels[plan.kind], "picture": self._photograph(plan, split)}

    def heard_as(self, plan: SoundPlan, split: str) -> dict[str, str]:
        """Name the class and the recording."""
        return {"sound": self.labels[plan.kind], "recording": self._recording(plan, split)}

    def _photograph(self, plan: ObjectPlan, split: str) -> str:
        names = self.seen[plan.kind][split]
        return names[int(plan.phase * len(names))]

    def _recording(self, plan: SoundPlan, split: str) -> str:
        names = self.heard[plan.kind][split]
        return names[plan.seed % len(names)]


def cast_from(pictures: Path, sounds: Path) -> MediaCast:
    """Look through two folders.

    Args:
        pictures: photographs, a sub-folder a class.
        sounds: recordings, the same; a class is a sub-folder that both have.

    Raises:
        DatasetError: they do not make two classes with a file a split each, or a file is not
            what its suffix says.
    """
    labels = common_classes(pictures, sounds)
    seen = tuple(parts_of(pictures, label, PICTURE_SUFFIXES) for label in labels)
    heard = tuple(parts_of(sounds, label, SOUND_SUFFIXES) for label in labels)
    for root, parts, check in (
        (pictures, seen, check_photograph),
        (sounds, heard, check_recording),
    ):
        for name in (name for part in parts for names in part.values() for name in names):
            check(root / name)
    digests = fingerprint(pictures, list(seen)) + fingerprint(sounds, list(heard))
    media = sha256(digests.encode()).hexdigest()
    return MediaCast(pictures, sounds, labels, seen, heard, media)
