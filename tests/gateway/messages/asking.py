"""Answers of Anthropic's client in either mode."""

from typing import Any

from anthropic import AsyncAnthropic
from anthropic.types import Message

HELLO: Any = [{"role": "user", "content": "one two three"}]


async def ask(claude: AsyncAnthropic, stream: bool, **fields: Any) -> Message:
    """The message; of a stream, as the client puts it together."""
    asked: Any = {"model": "auto", "max_tokens": 900, "messages": HELLO} | fields
    if not stream:
        answer: Message = await claude.messages.create(**asked)
        return answer
    async with claude.messages.stream(**asked) as events:
        return await events.get_final_message()
