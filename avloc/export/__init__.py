"""A timeline becomes a file: tables, subtitles, annotations, a heat-map video, figures, a report.

Nothing here decodes a label from scores or asks a model: what comes in is shown.
"""

from avloc.export.curves import ReportCurve
from avloc.export.figure_attention import attention_segments, draw_attention_figure
from avloc.export.figure_columns import evenly
from avloc.export.figure_events import MOST_COLUMNS, draw_events_figure
from avloc.export.figure_files import figure_suffix
from avloc.export.label_studio import label_studio_config
from avloc.export.links import jpeg
from avloc.export.overlay import render_heatmap
from avloc.export.painter import HeatStyle
from avloc.export.pictures import (
    ALPHA,
    STYLE,
    heatmap_thumbnail,
    report_thumbnails,
)
from avloc.export.report import write_report
from avloc.export.report_parts import ReportClip, ReportResults, ReportTable
from avloc.export.saving import dumps, formats, save
from avloc.export.tables import localization_schema

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
