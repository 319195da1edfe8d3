"""A timeline becomes a file: tables, subtitles, annotations, a heat-map video, figures, a report.

Nothing here decodes a label from scores or asks a model: what comes in is shown.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from avloc.export.curves import ReportCurve
    from avloc.export.figure_attention import attention_segments, draw_attention_figure
    from avloc.export.figure_columns import evenly
    from avloc.export.figure_events import MOST_COLUMNS, draw_events_figure
    from avloc.export.figure_files import figure_suffix
    from avloc.export.heat_style import ALPHA, STYLE, HeatStyle
    from avloc.export.label_studio import label_studio_config
    from avloc.export.links import jpeg
    from avloc.export.overlay import render_heatmap
    from avloc.export.pictures import heatmap_thumbnail, report_thumbnails
    from avloc.export.report import write_report
    from avloc.export.report_parts import ReportClip, ReportResults, ReportTable
    from avloc.export.saving import dumps, formats, save
    from avloc.export.tables import localization_schema

_HOME = {
    "ALPHA": "heat_style",
    "HeatStyle": "heat_style",
    "MOST_COLUMNS": "figure_events",
    "ReportClip": "report_parts",
    "ReportCurve": "curves",
    "ReportResults": "report_parts",
    "ReportTable": "report_parts",
    "STYLE": "heat_style",
    "attention_segments": "figure_attention",
    "draw_attention_figure": "figure_attention",
    "draw_events_figure": "figure_events",
    "dumps": "saving",
    "evenly": "figure_columns",
    "figure_suffix": "figure_files",
    "formats": "saving",
    "heatmap_thumbnail": "pictures",
    "jpeg": "links",
    "label_studio_config": "label_studio",
    "localization_schema": "tables",
    "render_heatmap": "overlay",
    "report_thumbnails": "pictures",
    "save": "saving",
    "write_report": "report",
}

__all__ = [
    "ALPHA",
    "MOST_COLUMNS",
    "STYLE",
    "HeatStyle",
    "ReportClip",
    "ReportCurve",
    "ReportResults",
    "ReportTable",
    "attention_segments",
    "draw_attention_figure",
    "draw_events_figure",
    "dumps",
    "evenly",
    "figure_suffix",
    "formats",
    "heatmap_thumbnail",
    "jpeg",
    "label_studio_config",
    "localization_schema",
    "render_heatmap",
    "report_thumbnails",
    "save",
    "write_report",
]


def __getattr__(name: str) -> object:
    """Import a name from its module when it is first used: some of them cost seconds."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
