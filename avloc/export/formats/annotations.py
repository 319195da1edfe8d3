"""A timeline for annotation tools: Audacity's label track and ELAN."""

from __future__ import annotations

import mimetypes
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as Xml

from avloc.export.lines import in_order, label_line, milliseconds
from avloc.timeline import Event, Timeline

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_ELAN_SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
_ELAN_TYPE = "default-lt"


def audacity_text(timeline: Timeline) -> str:
    """Return Audacity's label track: start, end and label between tabs, one event a line."""
    return "".join(
        f"{event.start:.6f}\t{event.end:.6f}\t{label_line(event.label)}\n"
        for event in in_order(timeline)
    )


def elan_text(timeline: Timeline) -> str:
    """Return an ELAN document (EAF 3.0), one tier a label.

    A tier cannot hold two annotations at once, and two labels may overlap.
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
    _add_header(document, timeline.source)
    events = in_order(timeline)
    _add_times(document, events)
    _add_tiers(document, events)
    kind = {"LINGUISTIC_TYPE_ID": _ELAN_TYPE, "TIME_ALIGNABLE": "true"}
    Xml.SubElement(document, "LINGUISTIC_TYPE", {**kind, "GRAPHIC_REFERENCES": "false"})
    Xml.indent(document)
    text = Xml.tostring(document, encoding="unicode", xml_declaration=False)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _add_header(document: Xml.Element, source: str) -> None:
    header = Xml.SubElement(document, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    if source:
        kind = mimetypes.guess_type(source)[0] or "video/*"
        address = Path(source).absolute().as_uri()
        Xml.SubElement(header, "MEDIA_DESCRIPTOR", MEDIA_URL=address, MIME_TYPE=kind)


def _add_times(document: Xml.Element, events: list[Event]) -> None:
    order = Xml.SubElement(document, "TIME_ORDER")
    moments = [moment for event in events for moment in milliseconds(event)]
    for n, moment in enumerate(moments, start=1):
        Xml.SubElement(order, "TIME_SLOT", TIME_SLOT_ID=f"ts{n}", TIME_VALUE=str(moment))


def _add_tiers(document: Xml.Element, events: list[Event]) -> None:
    tiers: dict[str, Xml.Element] = {}
    for n, event in enumerate(events, start=1):
        label = label_line(event.label)
        if label not in tiers:
            names = {"LINGUISTIC_TYPE_REF": _ELAN_TYPE, "TIER_ID": label}
            tiers[label] = Xml.SubElement(document, "TIER", names)
        slots = {"TIME_SLOT_REF1": f"ts{2 * n - 1}", "TIME_SLOT_REF2": f"ts{2 * n}"}
        annotation = Xml.SubElement(tiers[label], "ANNOTATION")
        place = Xml.SubElement(
            annotation, "ALIGNABLE_ANNOTATION", {"ANNOTATION_ID": f"a{n}", **slots}
        )
        Xml.SubElement(place, "ANNOTATION_VALUE").text = label
