"""What we do when asked to ask a model something."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import strawberry

from auth.policies import Policy
from domain.completion import Said
from domain.errors import FairleadError, InvalidInput, MalformedRequest
from domain.principal import Scope
from resolvers.errors import shown
from schema.completion import (
    CompleteInput,
    CompletePayload,
    CompleteResult,
    CompletionDelta,
    CompletionEvent,
    CompletionReceipt,
)
from schema.context import Info
from schema.fields import mutation_field, subscription_field

PATIENCE = 600.0
"""Seconds; the providers' own deadlines end most requests sooner."""


@strawberry.type
class CompletionMutation:
    @mutation_field(
        Policy.SELF,
        scope=Scope.INFERENCE,
        description="Ask a model, as `/v1/chat/completions` does: routed by the rules in force,"
        " recorded and charged. The answer comes whole.",
        graphql_type=CompleteResult,
        patience=PATIENCE,
    )
    async def complete(self, info: Info, input: CompleteInput) -> CompletePayload:
        context = info.context
        try:
            found = await context.completer.complete(
                context.caller, input.fields(), input.headers()
            )
        except MalformedRequest as error:
            raise _misshapen(error) from error
        return CompletePayload.of(context, found)


@strawberry.type
class CompletionSubscription:
    @subscription_field(
        Policy.SELF,
        scope=Scope.INFERENCE,
        description="Ask a model and follow its answer as it is written. Leaving stops it; what"
        " was used until then is recorded.",
        graphql_type=CompletionEvent,
    )
    async def completion(self, info: Info, input: CompleteInput) -> AsyncIterator[Any]:
        context = info.context
        try:
            fields, headers = input.fields(), input.headers()
            pieces = context.completer.stream(context.caller, fields, headers)
            async with aclosing(pieces):
                async for piece in pieces:
                    if isinstance(piece, Said):
                        yield CompletionDelta.of(piece)
                    else:
                        yield CompletionReceipt.of(context, piece)
        except MalformedRequest as error:
            yield shown(_misshapen(error))
        except FairleadError as error:
            yield shown(error)


def _misshapen(error: MalformedRequest) -> InvalidInput:
    """A fault of the body is one of the input's."""
    field = (error.param or "input").partition(".")[0].partition("[")[0]
    return InvalidInput(field, error.message)
