"""The heads, the losses, and the recipes that say how they are trained."""
