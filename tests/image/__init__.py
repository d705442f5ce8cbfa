"""The container image, run as docs/containers.md says: a program, for it needs an engine."""
