"""What becomes of every field of a request before each format of a provider, tried out.

`python -m tests.gateway.fields > docs/fields.md` writes it down.
"""
