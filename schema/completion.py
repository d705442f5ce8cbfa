"""Asking a model something: the request, the answer whole or piece by piece, and the receipt."""

from collections.abc import Mapping
from typing import Annotated, Any, Self

import strawberry

from auth.policies import Policy
from domain import completion as domain
from domain.errors import InvalidInput
from schema.context import Context
from schema.decision import RouteDecision
from schema.errors import (
    InsufficientCreditsError,
    InvalidInputError,
    LimitExceededError,
    NotFoundError,
    NothingEligibleError,
    ProviderError,
    UnavailableError,
)
from schema.fields import attribute, object_type, result
from schema.node import global_id
from schema.scalars import JSON, USD, BigInt

MOST_CALLS = 128
_OURS = frozenset({"model", "messages", "stream", "stream_options", "n"})


@strawberry.input(description="A request as `/v1/chat/completions` takes it.")
class CompleteInput:
    messages: JSON = strawberry.field(description="The conversation, in OpenAI's shape.")
    model: str = strawberry.field(
        default="auto", description="A reference, a bare model name, an alias, `auto…`."
    )
    max_tokens: int | None = strawberry.field(
        default=None, description="The most tokens of the answer."
    )
    temperature: float | None = None
    tools: JSON | None = strawberry.field(default=None, description="In OpenAI's shape.")
    response_format: JSON | None = strawberry.field(
        default=None, description="In OpenAI's shape, a JSON schema for example."
    )
    options: JSON | None = strawberry.field(
        default=None,
        description="An object with any other field of such a request; it reaches the provider as"
        " it is. One answer is asked for: `n` is not taken.",
    )
    session: str | None = strawberry.field(
        default=None, description="What keeps a conversation on one model, if anything."
    )

    def fields(self) -> dict[str, Any]:
        """The request's body. Raises InvalidInput."""
        options: Any = self.options or {}
        if not isinstance(options, Mapping):
            raise InvalidInput("options", "Use an object.")
        taken = sorted(_OURS & options.keys())
        if taken:
            raise InvalidInput("options", f"`{taken[0]}` has no place here.")
        if not isinstance(self.messages, list):
            raise InvalidInput("messages", "Use a list of messages.")
        named = {
            "model": self.model,
            "messages": self.messages,
            "max_tokens": self.max_tokens,
            "temperature": self.temperature,
            "tools": self.tools,
            "response_format": self.response_format,
        }
        return {**options, **{name: value for name, value in named.items() if value is not None}}

    def headers(self) -> dict[str, str]:
        """What such a request would say beside its body."""
        return {} if self.session is None else {"x-fairlead-session": self.session}


@object_type(
    Policy.SELF,
    description="A call of a tool that the model asks for. In a stream it comes in parts: those"
    " with one `index` belong together.",
)
class ToolCall:
    index: int
    id: str | None
    name: str | None
    arguments: str = attribute(description="JSON as text; the parts of a stream are to be joined.")

    @classmethod
    def of(cls, call: domain.ToolCall) -> Self:
        return cls(index=call.index, id=call.id, name=call.name, arguments=call.arguments)


@object_type(Policy.SELF, description="What an answer used, and what it cost.")
class CompletionUsage:
    input_tokens: BigInt = attribute(description="Cached and cache-write ones included.")
    cached_tokens: BigInt
    cache_write_tokens: BigInt
    output_tokens: BigInt = attribute(description="Reasoning included.")
    reasoning_tokens: BigInt
    is_estimated: bool = attribute(description="The provider gave no figure that can be true.")
    cost: USD | None = attribute(description="Null where the price is unknown, which is not 0.")

    @classmethod
    def of(cls, receipt: domain.Receipt) -> Self:
        usage = receipt.usage
        return cls(
            input_tokens=BigInt(usage.input),
            cached_tokens=BigInt(usage.cached),
            cache_write_tokens=BigInt(usage.cache_write),
            output_tokens=BigInt(usage.output),
            reasoning_tokens=BigInt(usage.reasoning),
            is_estimated=receipt.estimated,
            cost=None if receipt.cost is None else USD(receipt.cost),
        )


@object_type(Policy.SELF, description="Who answered, why they were chosen, and for how much.")
class CompletionReceipt:
    record_id: strawberry.ID = attribute(
        description="Of the request's UsageRecord, which can be read once it has settled."
    )
    provider: str = attribute(description="The slug of the provider that served.")
    model: str = attribute(description="The model's name there.")
    usage: CompletionUsage
    decision: RouteDecision

    @classmethod
    def of(cls, context: Context, receipt: domain.Receipt) -> Self:
        return cls(
            record_id=global_id("UsageRecord", receipt.request_id),
            provider=receipt.provider,
            model=receipt.model,
            usage=CompletionUsage.of(receipt),
            decision=RouteDecision.of(context, receipt.decision),
        )


@object_type(Policy.SELF, description="A whole answer.")
class CompletePayload:
    text: str
    reasoning: str = attribute(description="What the model told of its thinking; often empty.")
    refusal: str | None
    tool_calls: list[ToolCall] = attribute(description="In order.", size=MOST_CALLS)
    finish_reason: str | None = attribute(description="`stop`, `length`, `tool_calls`, …")
    receipt: CompletionReceipt

    @classmethod
    def of(cls, context: Context, completion: domain.Completion) -> Self:
        said = completion.said
        return cls(
            text=said.text,
            reasoning=said.reasoning,
            refusal=said.refusal,
            tool_calls=[ToolCall.of(call) for call in said.tool_calls[:MOST_CALLS]],
            finish_reason=said.finish_reason,
            receipt=CompletionReceipt.of(context, completion.receipt),
        )


@object_type(Policy.SELF, description="A piece of the answer: join the pieces in order.")
class CompletionDelta:
    text: str
    reasoning: str
    refusal: str | None
    tool_calls: list[ToolCall] = attribute(description="Parts of calls.", size=MOST_CALLS)
    finish_reason: str | None = attribute(description="With the last piece.")

    @classmethod
    def of(cls, said: domain.Said) -> Self:
        return cls(
            text=said.text,
            reasoning=said.reasoning,
            refusal=said.refusal,
            tool_calls=[ToolCall.of(call) for call in said.tool_calls[:MOST_CALLS]],
            finish_reason=said.finish_reason,
        )


_Failures = (
    InvalidInputError
    | NotFoundError
    | NothingEligibleError
    | InsufficientCreditsError
    | LimitExceededError
    | ProviderError
    | UnavailableError
)

CompleteResult = Annotated[CompletePayload | _Failures, result("CompleteResult")]

CompletionEvent = Annotated[
    CompletionDelta | CompletionReceipt | _Failures,
    strawberry.union(
        "CompletionEvent",
        description="Pieces, then the receipt of a whole answer; or a failure, which ends it:"
        " what came before is then not the whole.",
    ),
]
