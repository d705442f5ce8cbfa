"""How often one selection asks for the same: validation compares each pair of them."""

from collections import Counter
from collections.abc import Iterator

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
)


def most_repeated(document: DocumentNode) -> int:
    """The most fields of one name, or spreads of one fragment, in any selection of the document."""
    most = 0
    pending = [
        node.selection_set for node in document.definitions if hasattr(node, "selection_set")
    ]
    while pending:
        keys: Counter[str] = Counter()
        for node in _flat(pending.pop()):
            if isinstance(node, FieldNode):
                keys[(node.alias or node.name).value] += 1
                if node.selection_set is not None:
                    pending.append(node.selection_set)
            elif isinstance(node, FragmentSpreadNode):
                keys[f"...{node.name.value}"] += 1
        most = max(most, *keys.values(), 0)
    return most


def _flat(chosen: SelectionSetNode) -> Iterator[SelectionNode]:
    """The selections, those of inline fragments among them."""
    pending = [chosen]
    while pending:
        for node in pending.pop().selections:
            if isinstance(node, InlineFragmentNode):
                pending.append(node.selection_set)
            else:
                yield node
