"""Position of the segments of a track, and decoding them."""
