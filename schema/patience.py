"""How long an operation may take: longer than others where it waits for a provider."""

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)
from strawberry import Schema
from strawberry.types.field import StrawberryField

from schema.fields import PATIENCE


def patience_of(
    schema: Schema, document: DocumentNode, operation: OperationDefinitionNode, usual: float
) -> float:
    """Seconds: the most that any of the operation's root fields declares, at least `usual`.

    `document` must be valid: its fragments then neither miss nor lead in circles.
    """
    root = schema._schema.get_root_type(operation.operation)
    if root is None:
        return usual
    fragments = {
        node.name.value: node
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    names = _root_fields(operation.selection_set, fragments)
    return max([usual, *(_declared(root, name) for name in names)])


def _root_fields(
    selections: SelectionSetNode, fragments: dict[str, FragmentDefinitionNode]
) -> set[str]:
    """Each fragment is looked into once: expanded, a few of them are billions."""
    names: set[str] = set()
    seen: set[str] = set()
    pending = [selections]
    while pending:
        for node in pending.pop().selections:
            if isinstance(node, FieldNode):
                names.add(node.name.value)
            elif isinstance(node, InlineFragmentNode):
                pending.append(node.selection_set)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in seen:
                seen.add(node.name.value)
                pending.append(fragments[node.name.value].selection_set)
    return names


def _declared(root: GraphQLObjectType, name: str) -> float:
    field = root.fields.get(name)
    definition = None if field is None else field.extensions.get("strawberry-definition")
    if not isinstance(definition, StrawberryField):
        return 0.0
    seconds: float = definition.metadata.get(PATIENCE, 0.0)
    return seconds
