"""Reading media files that nobody vouches for: what they hold, and their frames and sound on one time line."""
