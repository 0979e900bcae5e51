"""What the classes of models have of their own: which inputs they take, and what of their outputs is the feature."""
