"""Where the segments of a track lie, and decoding them."""
