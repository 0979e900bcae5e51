"""Heads, losses and recipes: from features to embeddings."""
