"""The labels that are used when the user names none: things that make a sound."""

from __future__ import annotations

from avloc.vocabulary.class_names import data_text

SOUNDING_THINGS: tuple[str, ...] = tuple(data_text("sounding_things.txt").splitlines())
"""Things that can be heard, most of which can be seen. Each maps to classes of AudioSet."""
