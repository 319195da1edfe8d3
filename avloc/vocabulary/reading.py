"""What one reading of a label says: its known phrases, without who does it and how."""

from __future__ import annotations

from avloc.vocabulary.class_names import audioset_names
from avloc.vocabulary.phrases import Phrase, Sense, match
from avloc.vocabulary.things import things_in
from avloc.vocabulary.words import stems

N_VOICE = audioset_names().index("Whistling") + 1
"""AudioSet's first classes are sounds of a human voice."""
RUN = frozenset({"run"})


def phrases_in(text: str, sense: Sense) -> list[Phrase]:
    """Return the known phrases of a text that say something of a sense, the longest first.

    Left out where the text says more: a voice where an animal calls (a bird that sings is not a
    singer), a machine that runs, and a person who does something else.
    """
    things = things_in(text)
    kinds = {thing.kind for thing in things}
    people = {thing.stems for thing in things if thing.kind == "person"}

    def is_machine_running(phrase: Phrase) -> bool:
        return phrase.stems == RUN and "artifact" in kinds

    def is_beside_the_point(phrase: Phrase) -> bool:
        is_call = "animal" in kinds and len(phrase.stems) == 1 and _is_voice(phrase)
        return is_call or phrase.stems in people

    found = [each for each in match(stems(text), sense) if not is_machine_running(each)]
    return [each for each in found if not is_beside_the_point(each)] or found


def _is_voice(phrase: Phrase) -> bool:
    return bool(phrase.heard) and all(index < N_VOICE for index, _ in phrase.heard or ())
