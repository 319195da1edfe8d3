"""Figures of a timeline."""
