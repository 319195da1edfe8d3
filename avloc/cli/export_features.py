"""``avloc export-features``: the store, for other people's code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from avloc.cli import console
from avloc.cli.parameters import Artifacts, DatasetRoot

_N_NAMED = 10


def export_features(
    folder: Annotated[Path, typer.Argument(help="The folder to write.")],
    only_present: Annotated[
        bool,
        typer.Option(
            "--only-present", help="Leave out rows without features, and renumber the others."
        ),
    ] = False,
    dataset: DatasetRoot = None,
    artifacts: Artifacts = None,
) -> None:
    """Write the features in AVE's published layout.

    It writes visual_feature.h5, audio_feature.h5, labels.h5, *_order.h5 and Annotations.txt.
    """
    import avloc

    with console.progress_bar("export") as progress:
        done = avloc.export_features(
            folder,
            artifacts=artifacts,
            dataset=dataset,
            only_present=only_present,
            progress=progress,
        )
    for video_id, reason in list(done.left_out.items())[:_N_NAMED]:
        console.say(f"left out: {video_id}: {reason}")
    if len(done.left_out) > _N_NAMED:
        console.say(f"left out: {len(done.left_out) - _N_NAMED} more videos")
    if done.n_filled:
        console.say(f"{done.n_filled} rows have segments without real picture or sound")
    sizes = ", ".join(f"{size} {name}" for name, size in done.split_sizes.items())
    console.say(f"{done.n_rows} rows ({sizes})")
    console.say(f"wrote {', '.join(map(str, done.written))}")
