"""The stage ``verify``: every byte of avloc's files against the digests that they carry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from avloc.artifacts import FeatureStore, check_artifact
from avloc.errors import ArtifactError
from avloc.progress import Progress, silent


@dataclass(frozen=True)
class Verification:
    """What `verify` found.

    Attributes:
        n_checked: files that were checked.
        bad: those that no command would accept, each with the reason.
        undigested: sound files of format 1. They have no digest, so that a changed number in
            them is not noticed.
    """

    n_checked: int
    bad: tuple[tuple[Path, str], ...]
    undigested: tuple[Path, ...]


def verify(
    paths: Path | str | Sequence[Path | str], *, progress: Progress | None = None
) -> Verification:
    """Check files and feature stores for damage.

    Every byte is read and compared with the digests in the files, and no number may be NaN or
    infinite. A path that is missing or not avloc's is bad.

    Args:
        paths: Files that avloc wrote, and feature stores.
        progress: called with (files done, files, file).
    """
    report = progress or silent
    given = [paths] if isinstance(paths, Path | str) else list(paths)
    files: list[Path] = []
    for path in map(Path, given):
        files += [path, *sorted((path / "videos").glob("[!.]*.h5"))]
    bad, undigested = [], []
    for done, file in enumerate(files):
        report(done, len(files), str(file))
        try:
            is_store = file.is_dir()
            if not (FeatureStore.open(file).has_digest if is_store else check_artifact(file)):
                undigested.append(file)
        except ArtifactError as error:
            bad.append((file, error.message.removeprefix(f"{file} ")))
    report(len(files), len(files), "")
    return Verification(len(files), tuple(bad), tuple(undigested))
