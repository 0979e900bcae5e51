"""Finding music videos: an index of embeddings, exact or approximate, and the queries that people ask it."""
