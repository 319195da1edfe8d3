"""Which videos a run does again, and which it leaves as they are."""

from __future__ import annotations

from avloc.artifacts import FeatureStore
from avloc.errors import ArtifactError, FingerprintError, NewerSchemaError, WrongKindError


def is_done(store: FeatureStore, overwrite: str, began: float, video_id: str) -> bool:
    """Tell whether a video's file is to be left as it is, in a run that began at a time."""
    if overwrite == "always":  # another run may have made it meanwhile
        path = store.path_of(video_id)
        return path.exists() and path.stat().st_mtime > began and video_id in store
    return video_id in store or (overwrite == "never" and _is_readable(store, video_id))


def _is_readable(store: FeatureStore, video_id: str) -> bool:
    """Tell whether some avloc reads a file, of whatever features."""
    try:
        store.read(video_id)
    except (FingerprintError, NewerSchemaError, WrongKindError):
        return True
    except ArtifactError:
        return False
    return True
