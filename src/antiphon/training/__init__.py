"""Training of heads, and fine-tuning of backbones."""
