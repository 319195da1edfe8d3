"""Downloads from the hub into its cache on this machine, and what can go wrong in one line."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from avloc.errors import AvlocError, WeightsError
from avloc.features.hub.names import HubName
from avloc.features.hub.weight_files import WEIGHTS, shards_of, weights_in
from avloc.features.weights import WeightsPolicy

# what describes a model: its card, its configuration and its tokenizer
_SETTINGS = ["README.md", "*.json", "*.txt", "*.model"]
_WITHOUT_HUB = (
    "Put the model's files into a folder named {repository}, and name the folder above it with"
    " --weights DIR. These need no download: --visual efficientnet-lite0 and --audio logmel."
)
_NOT_HERE = "{} not in the hub's cache on this machine, and offline was asked for"
_log = logging.getLogger(__name__)


def download_settings(
    name: HubName, repository: str, policy: WeightsPolicy, is_pinned: bool
) -> Path:
    """Return the folder of a revision, with all but its weights; `WeightsError` if impossible.

    A revision that ``is_pinned`` to a commit is first looked for on this machine.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    def find(is_offline: bool) -> Path:
        return Path(
            snapshot_download(
                repository,
                revision=name.revision or None,
                allow_patterns=_SETTINGS,
                local_files_only=is_offline,
            )
        )

    with _one_line(name, repository), _quiet():
        if is_pinned and not policy.offline:
            with suppress(LocalEntryNotFoundError):
                if weights_in(folder := find(is_offline=True)):
                    return folder
        return find(policy.offline)


def download_weights(
    name: HubName, repository: str, folder: Path, licence: str, policy: WeightsPolicy
) -> tuple[Path, ...]:
    """Download the weights into the folder of a revision; empty if the hub has none."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    if policy.offline:
        raise _unreachable(
            name, repository, "its weights are not in the hub's cache, and offline was asked for"
        )
    _log.warning("downloading %s, licence: %s", name, licence)
    with _one_line(name, repository), _quiet():
        for files in (shards_of(folder), *([file] for file in WEIGHTS)):
            try:
                for file in files:
                    hf_hub_download(repository, file, revision=folder.name)
            except LocalEntryNotFoundError:
                raise
            except EntryNotFoundError:
                continue
            if weights := weights_in(folder):
                return weights
    return ()


@contextmanager
def _one_line(name: HubName, repository: str) -> Iterator[None]:
    """Turn the hub's errors into a line with what to do."""
    from huggingface_hub import errors

    try:
        yield
    except AvlocError:
        raise
    except errors.GatedRepoError as error:
        raise WeightsError(
            f"{name} is gated: its owners give access to those who accept its terms",
            "Accept them on the model's page on the hub, then log in: hf auth login.",
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise WeightsError(
            f"the hub has no model {repository}, or it is private",
            "Check the name. For a private model log in first: hf auth login.",
        ) from error
    except errors.RevisionNotFoundError as error:
        raise WeightsError(
            f"{name} has no revision {name.revision!r}", "Leave out @REVISION for the newest."
        ) from error
    except errors.LocalEntryNotFoundError as error:
        raise _unreachable(name, repository, _why_not_local(error)) from error
    except (errors.HFValidationError, OSError) as error:
        raise _unreachable(name, repository, _first_line(error)) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Draw no bars: the caller may draw its bar on the same lines."""
    from huggingface_hub import utils

    was_quiet = utils.are_progress_bars_disabled()
    utils.disable_progress_bars()
    try:
        yield
    finally:
        if not was_quiet:
            utils.enable_progress_bars()


def _why_not_local(error: Exception) -> str:
    from huggingface_hub.errors import OfflineModeIsEnabled

    if error.__cause__ is None or isinstance(error.__cause__, OfflineModeIsEnabled):
        return _NOT_HERE.format("it is")
    return f"the hub cannot be reached: {_first_line(error.__cause__)}"


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _unreachable(name: HubName, repository: str, reason: str) -> WeightsError:
    return WeightsError(
        f"{name} cannot be had: {reason}", _WITHOUT_HUB.format(repository=repository)
    )
