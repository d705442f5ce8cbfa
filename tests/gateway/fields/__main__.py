"""Writes the page of fields to standard output."""

import sys

from tests.gateway.fields.page import page

sys.stdout.write(page())
