"""One request on the books: each attempt as it ends, and exactly one outcome."""

import uuid
from collections.abc import Callable
from typing import TypeAlias

import msgspec

from domain import pricing
from domain.decision import Decision
from domain.errors import ErrorCode
from domain.ports import Recorder
from domain.principal import Principal
from domain.request import RequestFacts
from domain.routing import Candidate
from domain.snapshot import Credential, Deployment, KeyOwner, Price
from domain.usage import (
    NO_DECISION,
    UNFINISHED,
    Attempt,
    Charge,
    Intent,
    Outcome,
    Progress,
    TokenUsage,
    UsageSource,
    UsageStatus,
)
from gateway.asgi import Header
from gateway.failure import End
from gateway.fund import Fund
from gateway.grant import Grant

NOTHING = TokenUsage()


class Served(msgspec.Struct, frozen=True):
    """Who answers, by which key, since when (seconds of the account's clock)."""

    candidate: Candidate
    credential: Credential | None
    began: float
    first_token: float | None = None

    @property
    def key_owner(self) -> KeyOwner | None:
        """Whose key it is; None where none was needed."""
        return None if self.credential is None else self.credential.owner_kind


class Account:
    """`clock` counts seconds; times in records are milliseconds after the account was made."""

    def __init__(
        self,
        recorder: Recorder,
        principal: Principal,
        facts: RequestFacts,
        decision: Decision,
        clock: Callable[[], float],
        fund: Fund | None = None,
        grant: Grant | None = None,
    ) -> None:
        self._fund = fund
        self._recorder = recorder
        self._principal = principal
        self._facts = facts
        self._decision = decision
        self._clock = clock
        self._grant = grant
        self._began = clock()
        self._intent: Intent | None = None
        self._attempts: list[Attempt] = []
        self._decision_json = NO_DECISION
        self._known: tuple[TokenUsage, Price, int] | None = None
        self._due: tuple[Served, TokenUsage, Charge] | None = None
        self.closed = False
        self.standing: list[Header] = [] if grant is None else grant.headers
        """Headers on what the caller has left of their rates."""

    @property
    def attempts_so_far(self) -> int:
        """The one under way included; there is one until the account is closed."""
        return len(self._attempts) + (not self.closed)

    def open(self, first: Deployment) -> None:
        """`first` will be asked. Raises `Unavailable`: the request must not be dispatched."""
        facts = self._facts
        self._intent = Intent(
            facts.id,
            facts.now,
            facts.user_id,
            facts.model,
            facts.stream,
            facts.organization_id,
            self._principal.api_key_id,
            first.id,
            first.provider.slug,
            first.name,
            *(() if self._fund is None else (self._fund.lease_id, self._fund.leased)),
        )
        self._recorder.intent(self._intent)

    def progress(self, served: Served, usage: TokenUsage) -> None:
        """`usage` was passed on so far, of what was opened. Raises `Unavailable`."""
        if self._intent is None:
            return
        if self._decision_json is NO_DECISION:
            self._decision_json = msgspec.Raw(msgspec.json.encode(self._decided()))
        self._recorder.progress(
            Progress(
                self._intent,
                self._ms(self._clock()),
                usage,
                *_server(served),
                cost=self.cost(served, usage, UsageSource.ESTIMATED),
                charge=self._charge(served, usage, UsageSource.ESTIMATED),
                first_token_ms=self._first_token(served),
                attempts=(*self._attempts, self._attempt(served, UNFINISHED, usage=usage)),
                decision=self._decision_json,
            )
        )

    def attempted(
        self,
        served: Served,
        end: End,
        *,
        http_status: int | None = None,
        reason: str | None = None,
        usage: TokenUsage | None = None,
    ) -> None:
        """An upstream call has ended. Without usage nothing is known of its cost."""
        self._attempts.append(
            self._attempt(served, end, http_status=http_status, reason=reason, usage=usage)
        )

    def charged(self, served: Served, usage: TokenUsage, source: UsageSource) -> int | None:
        """Nano-USD that a wallet is to pay, markup included; None where none pays."""
        charge = self._charge(served, usage, source)
        return None if charge is None or charge.wallet_id is None else charge.amount

    def cached(self, deployment: Deployment | None) -> None:
        """Answered from the cache: what `deployment`, None when it is gone, said before."""
        self.close(UsageStatus.OK, source=UsageSource.CACHE, answered=deployment)

    def close(
        self,
        status: UsageStatus,
        *,
        served: Served | None = None,
        usage: TokenUsage = NOTHING,
        source: UsageSource = UsageSource.NONE,
        error: ErrorCode | None = None,
        answered: Deployment | None = None,
    ) -> None:
        """The outcome, once. `answered`: who did, where nobody was asked.

        Raises `Unavailable` when it is not on record: nobody may then be told that all is well.
        """
        self.closed = True
        if self._grant is not None:
            self._grant.close(usage.input + usage.output)
        facts = self._facts
        self._recorder.outcome(
            Outcome(  # By position: by their names they are filled in five times as slowly.
                facts.id,
                facts.now,
                facts.user_id,
                facts.model,
                facts.stream,
                status,
                source,
                self._ms(self._clock()),
                facts.organization_id,
                self._principal.api_key_id,
                *(_named(answered) if served is None else _server(served)),
                usage,
                self.cost(served, usage, source),
                self._charge(served, usage, source),
                None if served is None else self._first_token(served),
                None if error is None else error.value,
                self._decided(),
                tuple(self._attempts),
            )
        )

    def _decided(self) -> Decision:
        """With what was held for it."""
        if self._fund is None:
            return self._decision
        return msgspec.structs.replace(self._decision, credits=self._fund.cover)

    def cost(self, served: Served | None, usage: TokenUsage, source: UsageSource) -> int | None:
        """Nano-USD, None where the price is unknown."""
        if served is None or source is UsageSource.NONE:
            return 0
        price = served.candidate.price
        if price is None or usage.beside:
            return None
        known = self._known
        if known is None or known[0] is not usage or known[1] is not price:
            # Kept: an answer, its attempt and its outcome ask the same.
            known = self._known = usage, price, pricing.cost(usage, price)
        return known[2]

    def _charge(
        self, served: Served | None, usage: TokenUsage, source: UsageSource
    ) -> Charge | None:
        """Only for what was answered: failed attempts are the house's."""
        if self._fund is None:
            return None
        if served is None or source is UsageSource.NONE:
            return self._fund.charge(None, None, None, None)
        due = self._due
        if due is not None and due[0] is served and due[1] is usage:
            return due[2]
        cost = self.cost(served, usage, source)
        charge = self._fund.charge(served.credential, usage, served.candidate.price, cost)
        if charge is not None:
            # What was held does not change any more.
            self._due = served, usage, charge
        return charge

    def _attempt(
        self,
        served: Served,
        outcome: str,
        *,
        http_status: int | None = None,
        reason: str | None = None,
        usage: TokenUsage | None = None,
    ) -> Attempt:
        deployment, credential = served.candidate.deployment, served.credential
        return Attempt(
            deployment.id,
            deployment.provider.slug,
            deployment.name,
            self._ms(served.began),
            round((self._clock() - served.began) * 1000),
            outcome,
            None if credential is None else credential.id,
            served.key_owner,
            http_status,
            self._first_token(served),
            usage,
            None if usage is None else self.cost(served, usage, UsageSource.PROVIDER),
            reason,
        )

    def _ms(self, at: float) -> int:
        return round((at - self._began) * 1000)

    def _first_token(self, served: Served) -> int | None:
        return None if served.first_token is None else self._ms(served.first_token)


_Server: TypeAlias = tuple[
    uuid.UUID | None, str | None, uuid.UUID | None, str | None, uuid.UUID | None, str | None
]
"""Who answered, as an outcome says it: from `provider_id` to `key_owner`."""


def _server(served: Served) -> _Server:
    candidate = served.candidate
    deployment, price = candidate.deployment, candidate.price
    provider, price_id = deployment.provider, None if price is None else price.id
    return provider.id, provider.slug, deployment.id, deployment.name, price_id, served.key_owner


def _named(deployment: Deployment | None) -> _Server:
    if deployment is None:
        return None, None, None, None, None, None
    provider = deployment.provider
    return provider.id, provider.slug, deployment.id, deployment.name, None, None
