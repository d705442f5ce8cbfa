"""A Messages request in full, for providers that have to be told it in other words."""

from typing import Any

import msgspec

NONE = msgspec.Raw(b"null")
UNSIGNED = "unsigned-by-fairlead"
"""In place of a signature on thoughts of a model that signs none."""


class Source(msgspec.Struct):
    type: str = ""
    media_type: str = ""
    data: str = ""
    url: str = ""


class Citations(msgspec.Struct):
    enabled: bool = False


class Block(msgspec.Struct):
    """`extra_content` is where an answer of ours put what has to come back to Google."""

    type: str = ""
    text: str = ""
    source: Source | str | None = None
    title: str | None = None
    citations: Citations | list[Any] | None = None
    id: str = ""
    name: str = ""
    input: msgspec.Raw = msgspec.Raw(b"{}")
    tool_use_id: str = ""
    content: "str | list[Block] | Block | None" = None
    is_error: bool | None = None
    extra_content: msgspec.Raw = NONE


class Turn(msgspec.Struct):
    role: str
    content: str | list[Block]

    @property
    def blocks(self) -> list[Block]:
        """What is said, empty text left out."""
        if isinstance(self.content, str):
            return [Block("text", self.content)] if self.content else []
        return [block for block in self.content if block.type != "text" or block.text]


class Tool(msgspec.Struct):
    name: str = ""
    type: str | None = None
    description: str | None = None
    input_schema: msgspec.Raw = NONE
    strict: bool | None = None


class Choice(msgspec.Struct):
    type: str
    name: str = ""
    disable_parallel_tool_use: bool | None = None


class Thinking(msgspec.Struct):
    type: str
    budget_tokens: int | None = None


class Format(msgspec.Struct):
    type: str = ""
    schema: msgspec.Raw = NONE


class Output(msgspec.Struct):
    effort: str | None = None
    format: Format | None = None


class Asked(msgspec.Struct):
    """Null is the same as absent."""

    messages: list[Turn]
    max_tokens: int
    system: str | list[Block] | None = None
    stop_sequences: list[str] | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    tools: list[Tool] | None = None
    tool_choice: Choice | None = None
    thinking: Thinking | None = None
    output_config: Output | None = None
    output_format: Format | None = None

    @property
    def effort(self) -> str | None:
        return None if self.output_config is None else self.output_config.effort

    @property
    def wanted(self) -> Format | None:
        """The form of the answer, where one is asked for."""
        config = self.output_config
        return self.output_format or (None if config is None else config.format)

    @property
    def thinks(self) -> bool:
        return self.thinking is not None and self.thinking.type != "disabled"


asked = msgspec.json.Decoder(Asked)
