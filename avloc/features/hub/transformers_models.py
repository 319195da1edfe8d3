"""Models that the package transformers reads, without code of their own and without a network."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from torch import nn

from avloc.errors import UsageError, WeightsError
from avloc.features.hub.snapshots import Snapshot
from avloc.features.hub.weight_files import PICKLE, weights_in

SENSE_OF = {"clap": "audio", "clip": "visual", "siglip": "visual", "siglip2": "visual"}
"""The kinds of models that can be encoders (``model_type`` in their configuration)."""
_Loaded = TypeVar("_Loaded")
_VOCABULARIES = ("tokenizer.json", "vocab.json", "vocab.txt", "spiece.model", "tokenizer.model")
_SAFE = {"local_files_only": True, "trust_remote_code": False}
_SEEN_OR_HEARD = {"visual": "picture", "audio": "sound"}


def kind_of(snapshot: Snapshot, sense: str = "") -> str:
    """Return the kind of a model; `UsageError` if it is unknown or not of ``sense``."""
    kind = snapshot.settings().get("model_type")
    if kind not in SENSE_OF:
        raise UsageError(
            f"{snapshot.name} is of the kind {kind!r}, which avloc cannot use as an encoder",
            f"It can use {', '.join(sorted(SENSE_OF))}, and picture networks by timm:NAME.",
        )
    if sense and SENSE_OF[kind] != sense:
        raise UsageError(
            f"{snapshot.name} ({kind}) is not a model of the {_SEEN_OR_HEARD[sense]}",
            f"Give it as the {SENSE_OF[kind]} encoder.",
        )
    return str(kind)


def load_config(snapshot: Snapshot) -> Any:
    """Read a model's configuration."""
    from transformers import AutoConfig

    load = AutoConfig.from_pretrained
    return _read(snapshot, "its configuration", lambda: load(snapshot.folder, **_SAFE))


def load_model(snapshot: Snapshot) -> Any:
    """Read a model in single precision; `WeightsError` if its files do not fit together."""
    from transformers import AutoModel

    def load() -> tuple[nn.Module, dict[str, Any]]:
        return AutoModel.from_pretrained(  # type: ignore[no-any-return]
            snapshot.folder,
            dtype="float32",
            **_SAFE,
            use_safetensors=weights_in(snapshot.folder)[0].name != PICKLE,
            output_loading_info=True,
        )

    model, report = _read(snapshot, "its weights", load)
    if missing := sorted(report["missing_keys"]):
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise WeightsError(
            f"the weights of {snapshot.name} in {snapshot.folder} lack {missing[0]}{more}",
            "Give the files of the whole model, as the hub has them.",
        )
    return model.eval().requires_grad_(False)


def load_image_processor(snapshot: Snapshot) -> Any:
    """Read what prepares a picture; only its numbers are used here."""
    from transformers import AutoImageProcessor

    load = AutoImageProcessor.from_pretrained
    return _read(snapshot, "its image processor", lambda: load(snapshot.folder, **_SAFE))


def load_sound_processor(snapshot: Snapshot) -> Any:
    """Read what prepares a sound; only its numbers are used here."""
    from transformers import AutoFeatureExtractor

    load = AutoFeatureExtractor.from_pretrained
    return _read(snapshot, "its sound processor", lambda: load(snapshot.folder, **_SAFE))


def load_tokenizer(snapshot: Snapshot) -> Any:
    """Read what cuts text into tokens."""
    from transformers import AutoTokenizer

    if not any((snapshot.folder / file).is_file() for file in _VOCABULARIES):
        raise WeightsError(  # the library would make up a tokenizer without words
            f"{snapshot.folder} has no tokenizer of {snapshot.name}",
            "Give the files of the whole model, as the hub has them.",
        )
    load = AutoTokenizer.from_pretrained
    return _read(snapshot, "its tokenizer", lambda: load(snapshot.folder, **_SAFE))


def _read(snapshot: Snapshot, what: str, load: Callable[[], _Loaded]) -> _Loaded:
    try:
        with _quiet():
            return load()
    except Exception as error:  # transformers and its parsers raise ten kinds
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise WeightsError(
            f"{what} cannot be read, {snapshot.name} in {snapshot.folder}: {reason}",
            "Give the files of the whole model, as the hub has them.",
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Draw no bars and report no keys: the checks here say what matters."""
    from transformers.utils import logging as reports

    before, had_bars = reports.get_verbosity(), reports.is_progress_bar_enabled()
    reports.set_verbosity(logging.CRITICAL)
    reports.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        reports.set_verbosity(before)
        if had_bars:
            reports.enable_progress_bar()
