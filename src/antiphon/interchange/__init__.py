"""What leaves Antiphon for other tools: models in formats of other libraries, and embeddings as their files."""
