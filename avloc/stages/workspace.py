"""Where the stages leave things for each other, so that commands chain with no arguments."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from avloc.errors import ArtifactError

ENVIRONMENT_VARIABLE = "AVLOC_ARTIFACTS"
DEFAULT_MODEL = "cman"


@dataclass(frozen=True)
class Workspace:
    """The artifacts folder: ``features/``, ``models/<name>.h5``, ``predictions/``.

    Attributes:
        root: the folder, made when something is first written.
    """

    root: Path

    @classmethod
    def at(cls, root: Path | str | None = None) -> Workspace:
        """Return the workspace at ``root``, ``$AVLOC_ARTIFACTS``, or ``./artifacts``."""
        return cls(Path(root or os.environ.get(ENVIRONMENT_VARIABLE) or "artifacts"))

    @property
    def features(self) -> Path:
        """The feature store."""
        return self.root / "features"

    def model(self, name_or_path: str | Path = DEFAULT_MODEL) -> Path:
        """Return a model file: a path as it is, a bare name in ``models/``."""
        text = str(name_or_path)
        is_path = "/" in text or text.endswith((".h5", ".hdf5")) or Path(text).is_file()
        return Path(text) if is_path else self.root / "models" / f"{text}.h5"

    def existing_model(self, name_or_path: str | Path = DEFAULT_MODEL) -> Path:
        """Return a model file that is there.

        Raises:
            ArtifactError: it is not; names the models that are.
        """
        path = self.model(name_or_path)
        if path.exists():
            return path
        there = sorted(file.stem for file in (self.root / "models").glob("[!.]*.h5"))
        hint = f"There are: {', '.join(there)}." if there else "Make one: avloc train."
        raise ArtifactError(f"there is no model {path}", hint)

    def predictions(self, model: str, split: str) -> Path:
        """Return where a model's predictions on a split go."""
        return self.root / "predictions" / f"{model}-{split}.h5"
