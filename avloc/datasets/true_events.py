"""A video's true events from its annotated spans, each span known by a sense."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from avloc.timeline import Event, Sense

Span = tuple[float, float, str, Sense]
"""Start and end in seconds, label, and the sense that knows it."""

MOST = 0.5  # a sense knows an event if it covers this share of it


def true_events(spans: Iterable[Span]) -> tuple[Event, ...]:
    """Return the events of spans in order of time, each once.

    Spans of one label that overlap and are known by different senses are one event, as in LLP,
    which annotates sound and picture apart: it lasts as long as either sense knows it.
    """
    events: list[Event] = []
    by_label: dict[str, list[Span]] = {}
    for span in sorted(set(spans)):
        by_label.setdefault(span[2], []).append(span)
    for of_label in by_label.values():
        for group in _overlapping(of_label):
            if len({sense for *_, sense in group}) > 1:
                events.append(_joined(group))
            else:
                events += (Event(start, end, name, 1.0, sense) for start, end, name, sense in group)
    return tuple(sorted(events, key=lambda event: (event.start, event.end, event.label)))


def _overlapping(spans: Sequence[Span]) -> list[list[Span]]:
    """Return groups of spans, in order of start, that overlap."""
    groups: list[list[Span]] = []
    end = 0.0
    for span in spans:
        if groups and span[0] < end:
            groups[-1].append(span)
        else:
            groups.append([span])
            end = span[1]
        end = max(end, span[1])
    return groups


def _joined(spans: Sequence[Span]) -> Event:
    start, end = spans[0][0], max(span[1] for span in spans)
    is_heard, is_seen = (
        _covered([s for s in spans if s[3] in (sense, "both")]) >= MOST * (end - start)
        for sense in ("heard", "seen")
    )
    sense: Sense = "unknown" if any(span[3] == "unknown" for span in spans) else "both"
    if sense == "both" and is_heard != is_seen:
        sense = "heard" if is_heard else "seen"
    return Event(start, end, spans[0][2], 1.0, sense)


def _covered(spans: Sequence[Span]) -> float:
    """Return how many seconds the spans cover together."""
    covered, reached = 0.0, 0.0
    for start, end, *_ in sorted(spans):
        covered += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return covered
