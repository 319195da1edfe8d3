"""Text formats of a timeline."""
