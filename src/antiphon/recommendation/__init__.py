"""New music videos for a person, by the content of what they liked."""
