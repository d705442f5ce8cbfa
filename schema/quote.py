"""What a request will cost, told before it is sent."""

from typing import Self

from auth.policies import Policy
from domain.quote import Quote
from schema.decision import RouteDecision
from schema.fields import attribute, object_type
from schema.scalars import USD


@object_type(
    Policy.SELF,
    description="What a request would cost its caller now, markup included. Null amounts: the"
    " price is unknown, or nobody may serve it (see the decision).",
)
class CompletionQuote:
    low: USD | None = attribute(description="Nine of ten answers seen cost more.")
    expected: USD | None = attribute(description="At the median length of answers seen.")
    high: USD | None = attribute(description="Nine of ten answers seen cost less.")
    worst: USD | None = attribute(
        description="No answer costs more, whoever of the plan serves: what is held for it where"
        " credits are enforced."
    )
    input_tokens: int
    is_input_estimated: bool = attribute(description="Counted by length, not by a vocabulary.")
    output_low: int | None
    output_expected: int | None
    output_high: int | None
    is_output_observed: bool = attribute(
        description="Whether answers of this model were seen; else the interval is all there can"
        " be: one token up to the limit."
    )
    decision: RouteDecision

    @classmethod
    def of(cls, quote: Quote | None, decision: RouteDecision) -> Self:
        facts = decision.facts
        outputs = None if quote is None else quote.outputs
        return cls(
            low=None if quote is None else USD(quote.low),
            expected=None if quote is None else USD(quote.expected),
            high=None if quote is None else USD(quote.high),
            worst=None if quote is None else USD(quote.worst),
            input_tokens=facts.input_tokens,
            is_input_estimated=facts.is_estimated,
            output_low=None if outputs is None else outputs.low,
            output_expected=None if outputs is None else outputs.expected,
            output_high=None if outputs is None else outputs.high,
            is_output_observed=outputs is not None and outputs.observed,
            decision=decision,
        )
