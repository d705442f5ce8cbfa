"""Texts that no column can hold: PostgreSQL keeps no NUL character."""

from typing import Any

from graphql import DocumentNode, StringValueNode, Visitor, visit


class _Finder(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.found = False

    def enter_string_value(self, node: StringValueNode, *_: Any) -> None:
        self.found = self.found or "\0" in node.value


def writes_nul(text: str, document: DocumentNode) -> bool:
    """Whether a string in the document, which is `text` parsed, holds one."""
    if "\0" not in text and "\\u" not in text:
        return False
    finder = _Finder()
    visit(document, finder)
    return finder.found


def holds_nul(value: Any) -> bool:
    """Whether a string in decoded JSON holds one."""
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any("\0" in name or holds_nul(each) for name, each in value.items())
    return isinstance(value, list) and any(map(holds_nul, value))
