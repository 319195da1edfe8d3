"""``avloc import-features``: features that others published, into the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from avloc.cli import console
from avloc.cli.parameters import parameters_of

if TYPE_CHECKING:
    from avloc.stages.import_features import FeatureImport

_N_NAMED = 10
_ABSENT = {"visual": "picture", "audio": "sound"}


@parameters_of("avloc.stages.import_features.import_features", visual={}, audio={})
def import_features(given: dict[str, Any]) -> None:
    """Import, and print what is missing."""
    import avloc

    with console.progress_bar("import") as progress:
        done = avloc.import_features(**given, progress=progress)
    _summarise(done)


def _summarise(done: FeatureImport) -> None:
    n_videos = done.n_done + done.n_skipped
    for modality in done.absent:
        console.say(f"no {modality} features were given: the videos have no {_ABSENT[modality]}")
    if done.differing:
        more = ", ..." if len(done.differing) > _N_NAMED else ""
        console.say(
            f"{len(done.differing)} of {n_videos} videos have rows with different features, and "
            f"the first row was taken: {', '.join(done.differing[:_N_NAMED])}{more}"
        )
    console.say(
        f"{done.n_rows} rows of {n_videos} videos: {done.n_done} imported, {done.n_skipped} "
        f"already there; features {done.store.fingerprint} in {done.store.root}"
    )
