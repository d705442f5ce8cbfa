"""Every fault of a provider in every format: what the caller got, what was asked and billed."""
