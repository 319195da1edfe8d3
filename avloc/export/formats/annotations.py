"""A timeline for annotation tools: Audacity's label track and ELAN."""

from __future__ import annotations

import mimetypes
from collections.abc import Container, Sequence
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as Xml

from avloc.export.lines import in_order, label_line, milliseconds
from avloc.export.sense_letters import LETTERS
from avloc.timeline import Event, Timeline

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_ELAN_SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
_ELAN_TYPE, _SENSE_TYPE = "default-lt", "sense"
_ASSOCIATION = "Symbolic_Association"


def audacity_text(timeline: Timeline) -> str:
    """Return Audacity's label track: start, end and label between tabs, one event per line.

    After the label is the letter of its sense in brackets, where it is known.
    """
    return "".join(
        f"{event.start:.6f}\t{event.end:.6f}\t{label_line(event.label)}{_letter(event)}\n"
        for event in in_order(timeline)
    )


def _letter(event: Event) -> str:
    return "" if event.sense == "unknown" else f" [{LETTERS[event.sense]}]"


def elan_text(timeline: Timeline) -> str:
    """Return an ELAN document (EAF 3.0): a tier for each label, since two labels may overlap.

    Below the tier of a label is a tier ``LABEL: sense`` with the sense of its events, where it is
    known: ``heard``, ``seen`` or ``both``.
    """
    document = Xml.Element(
        "ANNOTATION_DOCUMENT",
        {
            "AUTHOR": "avloc",
            "DATE": datetime.now(UTC).isoformat(timespec="seconds"),
            "FORMAT": "3.0",
            "VERSION": "3.0",
            "xmlns:xsi": _XSI,
            "xsi:noNamespaceSchemaLocation": _ELAN_SCHEMA,
        },
    )
    header = Xml.SubElement(document, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    if timeline.source:
        media = {
            "MEDIA_URL": Path(timeline.source).absolute().as_uri(),
            "MIME_TYPE": mimetypes.guess_type(timeline.source)[0] or "video/*",
        }
        Xml.SubElement(header, "MEDIA_DESCRIPTOR", media)
    events = in_order(timeline)
    _add_times(document, events)
    n_senses = _add_tiers(document, events)
    _add_types(document, has_senses=n_senses > 0)
    Xml.indent(document)
    text = Xml.tostring(document, encoding="unicode", xml_declaration=False)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _add_times(document: Xml.Element, events: Sequence[Event]) -> None:
    """Add the time slots ``ts1``, ``ts2``, ...: two for each event."""
    order = Xml.SubElement(document, "TIME_ORDER")
    for n, event in enumerate(events):
        for k, time in enumerate(milliseconds(event), start=1):
            Xml.SubElement(order, "TIME_SLOT", TIME_SLOT_ID=f"ts{2 * n + k}", TIME_VALUE=str(time))


def _add_tiers(document: Xml.Element, events: Sequence[Event]) -> int:
    """Add a tier for each label, and one for its senses; return how many senses are known."""
    by_label: dict[str, list[int]] = {}
    for n, event in enumerate(events):
        by_label.setdefault(label_line(event.label), []).append(n)
    n_senses = 0
    for label, numbers in by_label.items():
        names = {"LINGUISTIC_TYPE_REF": _ELAN_TYPE, "TIER_ID": label}
        tier = Xml.SubElement(document, "TIER", names)
        for n in numbers:
            slots = {f"TIME_SLOT_REF{k}": f"ts{2 * n + k}" for k in (1, 2)}
            _annotate(tier, "ALIGNABLE_ANNOTATION", {"ANNOTATION_ID": f"a{n + 1}", **slots}, label)
        known = [n for n in numbers if events[n].sense != "unknown"]
        if known:
            names = {"LINGUISTIC_TYPE_REF": _SENSE_TYPE, "PARENT_REF": label}
            name = _free_name(f"{label}: sense", by_label)
            tier = Xml.SubElement(document, "TIER", names, TIER_ID=name)
            for n in known:
                ids = {"ANNOTATION_ID": f"s{n + 1}", "ANNOTATION_REF": f"a{n + 1}"}
                _annotate(tier, "REF_ANNOTATION", ids, events[n].sense)
        n_senses += len(known)
    return n_senses


def _annotate(tier: Xml.Element, kind: str, attributes: dict[str, str], text: str) -> None:
    annotation = Xml.SubElement(Xml.SubElement(tier, "ANNOTATION"), kind, attributes)
    Xml.SubElement(annotation, "ANNOTATION_VALUE").text = text


def _free_name(name: str, labels: Container[str]) -> str:
    """Return a name that no label has."""
    while name in labels:
        name += "_"
    return name


def _add_types(document: Xml.Element, *, has_senses: bool) -> None:
    plain = {"LINGUISTIC_TYPE_ID": _ELAN_TYPE, "TIME_ALIGNABLE": "true"}
    Xml.SubElement(document, "LINGUISTIC_TYPE", {**plain, "GRAPHIC_REFERENCES": "false"})
    if has_senses:
        of_parent = {"CONSTRAINTS": _ASSOCIATION, "GRAPHIC_REFERENCES": "false"}
        kind = {"LINGUISTIC_TYPE_ID": _SENSE_TYPE, "TIME_ALIGNABLE": "false"}
        Xml.SubElement(document, "LINGUISTIC_TYPE", {**of_parent, **kind})
        words = "1-1 association with a parent annotation"
        names = {"STEREOTYPE": _ASSOCIATION, "DESCRIPTION": words}
        Xml.SubElement(document, "CONSTRAINT", names)
