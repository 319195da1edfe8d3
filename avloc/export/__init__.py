"""From a timeline to a file: text formats, heat-map video, figures, report, notebook."""
