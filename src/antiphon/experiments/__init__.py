"""The paper's experiments, and studies of recipes."""
