"""What every page shares: numbers as text, SVG, charts, previews, and the frame of a page."""
