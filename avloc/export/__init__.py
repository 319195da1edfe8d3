"""A timeline becomes a file: tables, subtitles, annotations, a heat-map video, a report.

Nothing here decodes a label from scores or asks a model: what comes in is shown.
"""

from avloc.export.curves import ReportCurve
from avloc.export.label_studio import label_studio_config
from avloc.export.overlay import render_heatmap
from avloc.export.pictures import heatmap_thumbnail, report_thumbnails
from avloc.export.report import write_report
from avloc.export.report_parts import ReportClip, ReportResults, ReportTable
from avloc.export.saving import dumps, formats, save
from avloc.export.tables import localization_schema

__all__ = [
    "ReportClip",
    "ReportCurve",
    "ReportResults",
    "ReportTable",
    "dumps",
    "formats",
    "heatmap_thumbnail",
    "label_studio_config",
    "localization_schema",
    "render_heatmap",
    "report_thumbnails",
    "save",
    "write_report",
]
