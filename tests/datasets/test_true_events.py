"""Events from spans that are known by hearing and by sight, against a count of milliseconds."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from avloc.datasets.true_events import true_events

SPAN = st.tuples(
    st.integers(0, 9),
    st.integers(1, 4),
    st.sampled_from(["dog", "cat"]),
    st.sampled_from(["both", "heard", "seen"]),
).map(lambda span: (float(span[0]), float(span[0] + span[1]), *span[2:]))


def covered(spans, label, senses):
    """Mark the whole seconds that spans of a label cover, (14,)."""
    marks = np.zeros(14, dtype=bool)
    for start, end, name, sense in spans:
        if name == label and sense in senses:
            marks[int(start) : int(end)] = True
    return marks


def tuples(events):
    return [(e.start, e.end, e.label, e.sense) for e in events]


def test_what_is_heard_and_seen_at_once_is_known_by_both():
    spans = [(0, 8, "dog", "heard"), (2, 10, "dog", "seen"), (0, 3, "cat", "seen")]
    assert tuples(true_events(spans)) == [(0, 3, "cat", "seen"), (0, 10, "dog", "both")]


def test_a_sense_that_knows_less_than_half_of_an_event_does_not_know_it():
    assert tuples(true_events([(0, 4, "dog", "heard"), (0, 10, "dog", "seen")])) == [
        (0, 10, "dog", "seen")
    ]
    assert tuples(true_events([(0, 5, "dog", "heard"), (0, 10, "dog", "seen")])) == [
        (0, 10, "dog", "both")
    ]


def test_spans_that_touch_or_have_one_sense_stay_apart():
    spans = [(0, 2, "dog", "heard"), (2, 4, "dog", "seen"), (5, 7, "dog", "seen")]
    assert tuples(true_events(spans)) == spans
    twice = [(0, 4, "dog", "unknown"), (1, 3, "dog", "unknown")]
    assert tuples(true_events([*twice, twice[0]])) == twice


def test_an_event_with_a_span_of_unknown_sense_has_an_unknown_sense():
    spans = [(0, 4, "dog", "heard"), (1, 3, "dog", "unknown")]
    assert tuples(true_events(spans)) == [(0, 4, "dog", "unknown")]


@given(st.lists(SPAN, max_size=8))
def test_events_cover_what_the_spans_cover_and_know_what_they_know(spans):
    events = true_events(spans)
    assert list(events) == sorted(events, key=lambda e: (e.start, e.end, e.label))
    for label in ("dog", "cat"):
        mine = [e for e in events if e.label == label]
        of_events = covered([(e.start, e.end, label, "both") for e in mine], label, ["both"])
        assert (of_events == covered(spans, label, ["both", "heard", "seen"])).all()
        for event in mine:
            seconds = slice(int(event.start), int(event.end))
            heard, seen = (
                covered(spans, label, [sense, "both"])[seconds].mean() >= 0.5
                for sense in ("heard", "seen")
            )
            group = [s for s in spans if s[2] == label and event.start <= s[0] < event.end]
            if len({s[3] for s in group}) > 1:  # a joined event
                assert event.sense == {(1, 0): "heard", (0, 1): "seen"}.get((heard, seen), "both")
