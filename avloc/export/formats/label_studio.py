"""A timeline for Label Studio: a task to import, whose predictions people then correct.

The regions are `<Labels>` on the sound of the video (template "Video Timeline Segmentation"), in
seconds; those of `<TimelineLabels>` count frames, and need the frame rate.
"""

from __future__ import annotations

import json
import math
import zlib
from importlib.metadata import version
from xml.etree import ElementTree as Xml

import numpy as np

from avloc.export.lines import in_order, label_line
from avloc.export.playback import no_event_scores
from avloc.export.sense_letters import sense_numbers
from avloc.labels import LabelSet
from avloc.timeline import Event, Timeline

_LABELS, _SENSE, _AUDIO, _VIDEO = "events", "sense", "audio", "video"
_KNOWN_SENSES = ("heard", "seen", "both")


def label_studio_config(labels: LabelSet) -> str:
    """Return the project configuration for `label_studio_text`: `<Labels>` on the video's sound.

    Each region has a choice for the sense that knows it.

    Paste it into the project's Settings, Labeling Interface, Code.
    """
    from avloc.colours import as_hex, label_colour  # costs matplotlib

    view = Xml.Element("View")
    Xml.SubElement(view, "Video", name=_VIDEO, value="$video", sync=_AUDIO)
    control = Xml.SubElement(view, "Labels", name=_LABELS, toName=_AUDIO)
    colours: dict[str, str] = {}
    for name in labels.names:  # of two that are one line, the first
        colours.setdefault(label_line(name), as_hex(label_colour(name, labels)))
    for value, colour in colours.items():
        Xml.SubElement(control, "Label", value=value, background=colour)
    choices = {"perRegion": "true", "whenTagName": _LABELS, "showInline": "true"}
    sense = Xml.SubElement(view, "Choices", choices, name=_SENSE, toName=_AUDIO)
    for word in _KNOWN_SENSES:
        Xml.SubElement(sense, "Choice", value=word)
    Xml.SubElement(view, "Audio", name=_AUDIO, value="$video", sync=_VIDEO)
    Xml.indent(view)
    return Xml.tostring(view, encoding="unicode") + "\n"


def label_studio_text(timeline: Timeline) -> str:
    """Return a list of one task: the video, and the events as the model's predictions.

    ``data.video`` is the timeline's source, ``meta.labeling_config`` is `label_studio_config`.
    The prediction's score, by which tasks are sorted, is the mean probability of each segment's
    likeliest label, or of background; a region's is its event's.
    """
    regions = [_regions(timeline, n, event) for n, event in enumerate(in_order(timeline))]
    prediction: dict[str, object] = {
        "model_version": timeline.model or "avloc",
        "result": [result for results in regions for result in results],
    }
    mean = _mean_probability(timeline)
    if math.isfinite(mean):
        prediction["score"] = _share(mean)
    task = {
        "data": {"video": timeline.source or timeline.video_id, "video_id": timeline.video_id},
        "meta": {
            "made_by": f"avloc {version('avloc')}",
            "labeling_config": label_studio_config(timeline.labels),
        },
        "predictions": [prediction],
    }
    return json.dumps([task], ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def _mean_probability(timeline: Timeline) -> float:
    """Return how probable the likeliest label of a segment is, or no event, on average."""
    highest = timeline.scores.max(axis=1)
    return float(np.maximum(highest, no_event_scores(timeline)).mean())


def _regions(timeline: Timeline, n: int, event: Event) -> list[dict[str, object]]:
    """Return an event's region, and its sense where it is known: results with one id."""
    # Different in every file: ids must not repeat in an import of joined files.
    number = f"{zlib.crc32(timeline.video_id.encode('utf-8', 'surrogatepass')):08x}-{n}"
    head = {"id": number, "to_name": _AUDIO, "original_length": round(timeline.duration, 6)}
    span = {"start": round(event.start, 6), "end": round(event.end, 6), "channel": 0}
    value = {**span, "labels": [label_line(event.label)]}
    region: dict[str, object] = {**head, "from_name": _LABELS, "type": "labels", "value": value}
    if math.isfinite(event.score):
        region["score"] = _share(event.score)
    if said := sense_numbers(event):
        region["meta"] = {"text": [said]}  # the note of a region
    if event.sense == "unknown":
        return [region]
    chosen = {**span, "choices": [event.sense]}
    return [region, {**head, "from_name": _SENSE, "type": "choices", "value": chosen}]


def _share(score: float) -> float:
    # A sum of float32 shares may pass 1 by a rounding, and a higher score is refused.
    return min(max(round(score, 6), 0.0), 1.0)
