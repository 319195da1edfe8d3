"""``avloc status``: how far is a feature store filled?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from avloc.cli import console
from avloc.cli.parameters import parameters_of, printed_as
from avloc.errors import PartialFailureError

if TYPE_CHECKING:
    from avloc.stages.status import StoreStatus

_MOST_NAMES = 5
_MOST_COMMAND = 400  # characters; a longer command is no hint


@parameters_of(
    "avloc.stages.status.status",
    store={"metavar": "STORE"},
    paths={"more": "A single - reads paths from stdin."},
    shards={"min": 1},
)
def status(
    given: dict[str, Any],
    format: Annotated[str, printed_as("table", "json")] = "table",
    as_json: Annotated[bool, typer.Option("--json", hidden=True)] = False,
) -> None:
    """Count the videos, and print what is not done.

    The exit code is 0 if every video has features, 3 if some have none, 1 if there is no store.
    """
    import avloc

    given["paths"] = console.paths_or_stdin(given["paths"])
    with console.progress_bar("status") as progress:
        found = avloc.status(**given, progress=progress)
    if as_json or format == "json":
        console.data(json.dumps(found.to_dict(), indent=2))
    else:
        _show(found, is_checked=bool(given.get("check")))
    if not found.is_complete:
        n_done, n_videos = (found.counts()[name] for name in ("done", "videos"))
        raise PartialFailureError(
            f"{n_videos - n_done} of {n_videos} videos are not done", _hint(found)
        )


def _show(found: StoreStatus, *, is_checked: bool) -> None:
    names = ["videos", "done", "missing", "failed"]
    names += ["unreadable", "changed"] if is_checked else []
    parts: list[tuple[str, int | None]] = [("all", None)]
    if found.n_shards > 1:
        parts = [(f"{k}/{found.n_shards}", k) for k in range(1, found.n_shards + 1)] + parts
    rows = [[part, *(str(found.counts(shard)[name]) for name in names)] for part, shard in parts]
    title = f"features {found.store.fingerprint} in {found.store.root}"
    console.show_table(title, ["part", *names], rows)
    for (state, reason), video_ids in found.reasons().items():
        more = f" and {len(video_ids) - _MOST_NAMES} more" if len(video_ids) > _MOST_NAMES else ""
        listed = ", ".join(video_ids[:_MOST_NAMES])
        console.data(f"{len(video_ids)} {state}: {' '.join(reason.split())}: {listed}{more}")
    if found.n_absent:
        console.say(f"{found.n_absent} videos of the data set have no file")
    if found.n_others:
        console.say(f"{found.n_others} videos with features are not in the data set")


def _hint(found: StoreStatus) -> str:
    if not found.next_command:
        return "They are published features: import the rest with avloc import-features."
    if len(found.next_command) > _MOST_COMMAND:
        return "avloc status --format json has the command that extracts them again."
    parts = found.unfinished_shards
    others = f" (parts to do: {', '.join(map(str, parts))})" if len(parts) > 1 else ""
    return f"Next: {found.next_command}{others}"
