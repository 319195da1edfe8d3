"""A timeline for annotation tools: Audacity's label track and ELAN."""

from __future__ import annotations

import mimetypes
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as Xml

from avloc.export.lines import in_order, label_line, milliseconds
from avloc.timeline import Timeline

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_ELAN_SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
_ELAN_TYPE = "default-lt"


def audacity_text(timeline: Timeline) -> str:
    """Return Audacity's label track: start, end and label between tabs, one event per line."""
    return "".join(
        f"{event.start:.6f}\t{event.end:.6f}\t{label_line(event.label)}\n"
        for event in in_order(timeline)
    )


def elan_text(timeline: Timeline) -> str:
    """Return an ELAN document (EAF 3.0): a tier for each label, since two labels may overlap."""
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
    order = Xml.SubElement(document, "TIME_ORDER")
    tiers: dict[str, Xml.Element] = {}
    for n, event in enumerate(in_order(timeline)):
        slots = {}
        for k, time in enumerate(milliseconds(event), start=1):
            slots[f"TIME_SLOT_REF{k}"] = f"ts{2 * n + k}"
            Xml.SubElement(order, "TIME_SLOT", TIME_SLOT_ID=f"ts{2 * n + k}", TIME_VALUE=str(time))
        label = label_line(event.label)
        if label not in tiers:
            names = {"LINGUISTIC_TYPE_REF": _ELAN_TYPE, "TIER_ID": label}
            tiers[label] = Xml.SubElement(document, "TIER", names)
        annotation = Xml.SubElement(tiers[label], "ANNOTATION")
        attributes = {"ANNOTATION_ID": f"a{n + 1}", **slots}
        value = Xml.SubElement(annotation, "ALIGNABLE_ANNOTATION", attributes)
        Xml.SubElement(value, "ANNOTATION_VALUE").text = label
    kind = {"LINGUISTIC_TYPE_ID": _ELAN_TYPE, "TIME_ALIGNABLE": "true"}
    Xml.SubElement(document, "LINGUISTIC_TYPE", {**kind, "GRAPHIC_REFERENCES": "false"})
    Xml.indent(document)
    text = Xml.tostring(document, encoding="unicode", xml_declaration=False)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'
