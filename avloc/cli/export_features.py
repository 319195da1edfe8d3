"""``avloc export-features``: the store, for other people's code."""

from __future__ import annotations

from typing import Any

from avloc.cli import console
from avloc.cli.parameters import parameters_of

_N_NAMED = 10


@parameters_of("avloc.stages.export_features.export_features")
def export_features(given: dict[str, Any]) -> None:
    """Export, and print what was left out."""
    import avloc

    with console.progress_bar("export") as progress:
        done = avloc.export_features(**given, progress=progress)
    for video_id, reason in list(done.left_out.items())[:_N_NAMED]:
        console.say(f"left out: {video_id}: {reason}")
    if len(done.left_out) > _N_NAMED:
        console.say(f"left out: {len(done.left_out) - _N_NAMED} more videos")
    if done.n_filled:
        console.say(f"{done.n_filled} rows have segments without real picture or sound")
    sizes = ", ".join(f"{size} {name}" for name, size in done.split_sizes.items())
    console.say(f"{done.n_rows} rows ({sizes})")
    console.say(f"wrote {', '.join(map(str, done.written))}")
