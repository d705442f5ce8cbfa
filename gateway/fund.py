"""One request's money: what it may cost at worst, held before the house's keys are used."""

import re
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from db.queries.hold import HoldRequest
from db.queries.lease import Part
from domain import pricing
from domain.budget import Budget, BudgetKind, Period, budget, budgets_of
from domain.credits import Bound, Cover, WalletKind, bound_of
from domain.errors import InsufficientCredits, MalformedRequest, NothingEligible, Unavailable
from domain.pricing import dollars
from domain.principal import Principal
from domain.request import RequestFacts
from domain.routing import Candidate, Plan
from domain.snapshot import Credential, CreditSettings, KeyOwner, Price
from domain.usage import Charge, TokenUsage
from gateway.holds import Holds

MAX_COST_HEADER = "x-fairlead-max-cost"
CLAMP_HEADER = "x-fairlead-clamp"
_DOLLARS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


class Terms(msgspec.Struct, frozen=True):
    """What binds a request's money. `most` is its dearest allowed cost, nano-USD, None for any.

    `clamps`: the caller takes a shorter answer rather than none.
    """

    settings: CreditSettings
    budgets: tuple[Budget, ...]
    most: int | None
    clamps: bool

    @property
    def markup(self) -> int:
        return self.settings.markup if self.settings.enforced else 0


class Fund:
    """`take` before the first call on a key of the house; `charge` when its cost is known."""

    def __init__(
        self,
        holds: Holds | None,
        terms: Terms,
        principal: Principal,
        facts: RequestFacts,
        bounds: Mapping[uuid.UUID, Bound],
        house: Sequence[Bound],
    ) -> None:
        """`bounds` are those of all candidates, by deployment; `house` of those that may go out
        with a key of the house."""
        self._holds = holds
        self._terms = terms
        self._principal = principal
        self._facts = facts
        self._bounds = bounds
        self._worst, self._least = _range(house, terms)
        self._budgets: tuple[Budget, ...] = terms.budgets
        self._granted: int | None = None
        self.lease_id: uuid.UUID | None = None
        self.leased = 0
        """Nano-USD that were granted of the lease."""
        self._wallet = principal.payer_id if terms.settings.enforced else None

    def lease(self, candidate: Candidate) -> bool:
        """Before the request is on record: whether its money comes from a lease, at once."""
        if self._wallet is None or self._holds is None or self._budgets or self._beside(candidate):
            return False
        self.lease_id = self._holds.leased(self._wallet, self._worst)
        if self.lease_id is None:
            return False
        self._granted = self.leased = self._worst
        return True

    async def take(self, candidate: Candidate) -> bool:
        """Once, however often it is asked; whether this candidate may use the house's keys.

        Raises InsufficientCredits or Unavailable.
        """
        beside = self._beside(candidate)
        if self._granted is not None:
            return all(each in self._budgets for each in beside)
        if beside:
            self._budgets = (*self._budgets, *beside)
        budgets = self._budgets
        if self._wallet is None and not budgets:
            return True
        if self._holds is None:
            raise Unavailable("Credits cannot be held at the moment; try again.")
        limits = tuple([(each.id, each.limit) for each in budgets]) if budgets else ()
        request = HoldRequest(self._facts.id, self._wallet, self._worst, self._least, limits)
        self._granted = await self._holds.take(request, budgets)
        return True

    def _beside(self, candidate: Candidate) -> tuple[Budget, ...]:
        """What the caps of own keys allow of the house's, when those are too busy."""
        keys = candidate.credentials
        if not keys or keys[0].owner_kind is KeyOwner.SYSTEM:
            return ()
        return tuple(
            budget(
                BudgetKind.CREDENTIAL, key.id, Period.MONTH, key.spend_per_month, self._facts.now
            )
            for key in keys
            if key.spend_per_month is not None
        )

    def cap(self, candidate: Candidate, credential: Credential | None) -> int | None:
        """Output tokens that the upstream may give; None: as the caller says. Below 1: not one."""
        bound = self._bounds.get(candidate.deployment.id)
        if bound is None or not bound.tokens:
            return None
        most, granted = self._terms.most, self._granted if is_house(credential) else None
        amount = most if granted is None else granted if most is None else min(granted, most)
        if amount is None:
            return None
        affordable = bound.covered(amount)
        return None if affordable == self._facts.max_tokens else affordable

    def charge(
        self,
        credential: Credential | None,
        usage: TokenUsage | None,
        price: Price | None,
        cost: int | None,
    ) -> Charge | None:
        """What is to be paid; nothing without `usage`. None where nothing was held.

        `cost` is that of `usage` at `price`, nano-USD, without a markup, where it is known.
        """
        if self._granted is None:
            return None
        amount = 0
        if usage is not None and price is not None and is_house(credential):
            markup = self._terms.markup
            known = None if markup else cost
            amount = pricing.charge(usage, price, markup) if known is None else known
        budgets = self._budgets
        ids = tuple([each.id for each in budgets]) if budgets else ()
        return Charge(amount, self._wallet, ids, self.lease_id, self.leased)

    @property
    def cover(self) -> Cover:
        """For the record of the decision."""
        kind = None
        if self._wallet is not None:
            own = self._principal.paying_organization_id is None
            kind = WalletKind.USER if own else WalletKind.ORGANIZATION
        return Cover(self._terms.settings, kind, self._worst or None, self._granted)

    def give_back(self) -> None:
        """The request was not dispatched."""
        if self._granted is None or self._holds is None:
            return
        if self.lease_id is None:
            self._holds.give_back(self._facts.id)
        else:
            self._holds.take_back(Part(self._facts.id, self.lease_id, self.leased))


def _range(house: Sequence[Bound], terms: Terms) -> tuple[int, int]:
    """What is held for a request, and the least that will do."""
    if not house:
        return 0, 0
    worst = max([each.worst for each in house])
    if terms.most is not None:
        worst = min(worst, terms.most)
    return worst, min([each.least for each in house]) if terms.clamps else worst


def is_house(credential: Credential | None) -> bool:
    """Whether a call with it costs the house: providers without a key are its own too."""
    return credential is None or credential.owner_kind is KeyOwner.SYSTEM


def terms_of(
    settings: CreditSettings, principal: Principal, headers: Mapping[str, str], now: float
) -> Terms | None:
    """None: nothing binds this request's money. Raises MalformedRequest for a header."""
    asked = headers.get(MAX_COST_HEADER)
    if not settings.enforced and not principal.limits and asked is None:
        return None
    clamps = headers.get(CLAMP_HEADER, "").lower() in ("true", "1", "yes", "allow")
    if not principal.limits and asked is None:
        return Terms(settings, (), None, clamps)
    limits = [each.limits.max_cost for each in principal.limits]
    if asked is not None:
        limits.append(_nano(asked))
    given = [limit for limit in limits if limit is not None]
    budgets = budgets_of(principal.limits, now)
    if not (settings.enforced or budgets or given):
        return None
    return Terms(settings, budgets, min(given) if given else None, clamps)


def is_capped(candidate: Candidate) -> bool:
    """Whether an own key bounds what those that follow it may cost."""
    keys = candidate.credentials
    if len(keys) < 2 or keys[0].owner_kind is KeyOwner.SYSTEM:
        return False
    return any(key.spend_per_month is not None for key in keys)


def fund_of(
    terms: Terms,
    holds: Holds | None,
    principal: Principal,
    facts: RequestFacts,
    choices: int,
    planned: Plan,
    beside: Sequence[str] = (),
) -> tuple[Plan, Fund]:
    """The plan as far as it can be paid for; `beside` is what it asks for that has no price.

    Raises InsufficientCredits or NothingEligible.
    """
    bound_all = terms.settings.enforced or bool(terms.budgets)
    bounds: dict[uuid.UUID, Bound] = {}
    house: list[Bound] = []
    kept: list[Candidate] = []
    cheapest: int | None = None
    for candidate in planned.candidates:
        if candidate.price is None:
            needs_price = bound_all or is_capped(candidate)
            own = tuple(key for key in candidate.credentials if not is_house(key))
            if terms.most is None and (own or not needs_price):
                some = own if needs_price else candidate.credentials
                kept.append(msgspec.structs.replace(candidate, credentials=some))
            continue
        bound = bound_of(facts, choices, candidate.deployment, candidate.price, terms.markup)
        needed = bound.least if terms.clamps else bound.worst
        if terms.most is None or needed <= terms.most:
            bounds[candidate.deployment.id] = bound
            if candidate.may_use_house:
                house.append(bound)
            kept.append(candidate)
        cheapest = needed if cheapest is None else min(cheapest, needed)
    if not kept:
        raise _unaffordable(terms, facts, cheapest, beside)
    candidates = tuple(kept)
    if candidates != planned.candidates:
        planned = msgspec.structs.replace(planned, candidates=candidates)
    return planned, Fund(holds, terms, principal, facts, bounds, house)


def _unaffordable(
    terms: Terms, facts: RequestFacts, cheapest: int | None, beside: Sequence[str]
) -> InsufficientCredits | NothingEligible:
    if cheapest is None and beside:
        return NothingEligible(
            f"`{beside[0]}` is billed beside the list price, and this request's cost is bounded.",
            [f"PRICE_UNKNOWN: leave out `{beside[0]}`, or bring a key of your own"],
        )
    if cheapest is None or terms.most is None:
        return NothingEligible(
            f"The price of `{facts.model[:100]}` is not known, and this request's cost is bounded.",
            ["PRICE_UNKNOWN: give the model a price, or name another"],
        )
    return InsufficientCredits(
        f"This request may cost ${dollars(cheapest)}, above the ${dollars(terms.most)} that one"
        " may cost (`maxCost`). Lower `max_tokens`, let the answer be shortened"
        f" (`{CLAMP_HEADER}: true`), or name a cheaper model."
    )


def _nano(value: str) -> int:
    if not _DOLLARS.fullmatch(value):
        raise MalformedRequest(
            f"`{MAX_COST_HEADER}` is an amount in dollars, such as 0.25.", param=MAX_COST_HEADER
        )
    return int(Decimal(value).scaleb(9))
