"""Processes for untrusted files: each has a time limit and a memory limit, may crash, and can be ended."""
