"""What `node(id)` promises of every type that has an id."""

from strawberry.types.base import StrawberryObjectDefinition

from resolvers.root import build_schema
from schema.node import Node


def test_every_node_type_can_be_found_again() -> None:
    schema = build_schema()
    nodes = {
        entry.definition.name: entry.definition.origin
        for entry in schema.schema_converter.type_map.values()
        if isinstance(entry.definition, StrawberryObjectDefinition)
        and not entry.definition.is_interface
        and issubclass(entry.definition.origin, Node)
    }
    assert {"Provider", "Model", "UsageRecord", "AuditEntry"} <= nodes.keys()
    lost = [name for name, origin in nodes.items() if "fetch" not in vars(origin)]
    assert lost == []
