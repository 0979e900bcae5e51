"""Shared by reports, pages and notebooks: numbers as text, SVG, charts, previews, page frames."""
