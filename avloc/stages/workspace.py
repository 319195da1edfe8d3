"""Where the stages leave files for each other, so that commands chain with no arguments."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from avloc.artifacts import Location, as_location
from avloc.errors import ArtifactError, UsageError
from avloc.export.marks import refuse_foreign

DEFAULT_MODEL = "cman"
OPEN_MODEL = "open"
"""The model that needs no training, and the name of its file."""


@dataclass(frozen=True)
class Workspace:
    """The artifacts folder: ``features/``, ``models/<name>.h5``, ``predictions/``."""

    root: Path

    @classmethod
    def at(cls, root: Path | str | None = None) -> Workspace:
        """Return the workspace at ``root``, ``$AVLOC_ARTIFACTS``, or ``./artifacts``."""
        return cls(Path(root or os.environ.get("AVLOC_ARTIFACTS") or "artifacts"))

    @property
    def features(self) -> Path:
        """The feature store."""
        return self.root / "features"

    def store(self, given: Path | str | None = None) -> Location:
        """Return the feature store that is given, or the workspace's."""
        return self.features if given is None else as_location(given)

    @property
    def copies(self) -> Path:
        """Where copies of stores at addresses are kept."""
        return self.root / "copies"

    def new_model(self, name: str) -> Path:
        """Return the path of a model to write; refuse to replace a file that is not avloc's."""
        if Path(name).name != name or not name.strip("."):
            raise UsageError(
                f"{name!r} is not a plain name for a model", "Choose the folder with --artifacts."
            )
        path = self.root / "models" / f"{name}.h5"
        refuse_foreign(path)
        return path

    def unfinished(self, model: Path) -> Path:
        """Return the path of what a training needs to go on after an interruption."""
        return model.parent / "unfinished" / model.name

    def model_names(self) -> list[str]:
        """Return the names of the models in ``models/``."""
        return sorted(file.stem for file in (self.root / "models").glob("[!.]*.h5"))

    def existing_model(self, name_or_path: str | Path = DEFAULT_MODEL) -> Path:
        """Return the file of a model: a path as it is, a bare name in ``models/``."""
        text = str(name_or_path)
        is_path = "/" in text or text.endswith((".h5", ".hdf5"))
        path = Path(text) if is_path else self.root / "models" / f"{text}.h5"
        if not path.exists() and Path(text).is_file():
            path = Path(text)
        if path.exists():
            return path
        names = self.model_names()
        extract, train = self.command("avloc extract DATASET"), self.command("avloc train")
        hint = (
            f"avloc brings no trained model. Train one on labelled videos: {extract}, then "
            f"{train}. Without training: --model open. To see it work on artificial clips: avloc "
            "demo."
        )
        raise ArtifactError(
            f"there is no model {path}", f"There are: {', '.join(names)}." if names else hint
        )

    def command(self, line: str) -> str:
        """Return a command line that works in this workspace, for a hint."""
        is_default = self == Workspace.at()
        return line if is_default else f"{line} --artifacts {shlex.quote(str(self.root))}"

    def predictions(self, model: str, split: str) -> Path:
        """Return the path of predictions to write; refuse to replace a file not avloc's."""
        path = self.root / "predictions" / f"{model}-{split}.h5"
        refuse_foreign(path)
        return path
