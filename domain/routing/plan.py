"""The one place a routing decision is made: snapshot, request and live values in, a plan out."""

from collections.abc import Sequence
from itertools import islice

import msgspec

from domain.decision import KEPT, Decision, Request, Selection
from domain.errors import FairleadError, InvalidInput, ModelNotFound, NothingEligible
from domain.health import Live
from domain.request import RequestFacts
from domain.routing.filters import Examiner, Option
from domain.routing.gather import Pool
from domain.routing.ground import Ground, ground_of
from domain.routing.index import window_of
from domain.routing.lots import digest
from domain.routing.order import diverse, rank
from domain.routing.planned import Candidate, Plan
from domain.routing.precedent import precedents_of
from domain.routing.reasons import reasons
from domain.routing.record import record_of, rules_record
from domain.routing.resolve import Resolution, resolve
from domain.routing.rules import governed, holders
from domain.routing.score import Scale, Scorer, scale_of
from domain.routing.shortlist import shortlist
from domain.snapshot import Snapshot


def plan(snapshot: Snapshot, facts: RequestFacts, live: Live, *, keep: int = KEPT) -> Plan:
    """Decide. Pure: the same values give the same bytes, and a refusal is a value, never raised.

    The decision holds `keep` candidates at most, and always those in the order to try.
    """
    known = precedents_of(snapshot, live)
    kind = known.kind(facts)
    before = known.find(kind, facts)
    if before is not None and before.alone is not None:
        return before.follow(before.alone, facts, live)
    holder = holders(snapshot, facts.organization_id, facts.user_id)
    if before is not None:
        return _decided(before.ground.again(facts, live), facts, live, holder, keep)
    theirs = governed(snapshot, facts.organization_id, facts.user_id)
    try:
        found = resolve(theirs, facts)
    except (ModelNotFound, InvalidInput) as error:
        scale = scale_of(theirs.ruleset, theirs.ruleset.strategy)
        nothing = Resolution(Selection.NAME, {}, [], [])
        return _refused(_decision(theirs, facts, live, nothing, scale, holder), error)
    ground = ground_of(theirs, facts, live, found)
    planned = _decided(ground, facts, live, holder, keep)
    known.keep(kind, facts, live, ground, planned)
    return planned


def plan_alone(snapshot: Snapshot, facts: RequestFacts, live: Live) -> Plan | None:
    """What `plan` decides where one deployment alone may serve such requests, of any number of
    tokens that a prompt of this length may have; None: not where that is not known."""
    known = precedents_of(snapshot, live)
    before = known.find(known.kind(facts), facts)
    if before is None or before.alone is None or not before.takes_any(facts):
        return None
    return before.follow(before.alone, facts, live)


def _decided(
    ground: Ground, facts: RequestFacts, live: Live, holder: str | None, keep: int
) -> Plan:
    """Ranked, recorded, and in order to try."""
    pool, found, examiner, scorer = ground.pool, ground.found, ground.examiner, ground.scorer
    rules = ground.snapshot.ruleset
    decision = _decision(ground.snapshot, facts, live, found, ground.scale, holder)
    if pool.members:
        shortlist(pool.members, examiner, scorer, decision, max(keep, rules.max_attempts))
    ranked, order = _order(pool, examiner, scorer, decision, rules.max_attempts)
    decision = _recorded(decision, found, pool, ranked, order, examiner, keep)
    if not order:
        words = f"No model may serve `{facts.model[:100]}` for this request."
        return _refused(decision, NothingEligible(words, reasons(decision.excluded)))
    return Plan(
        decision,
        tuple(_candidate(option) for option in order),
        None,
        rules.max_attempts,
        rules.content_filter_fallback,
    )


def _refused(decision: Decision, error: FairleadError) -> Plan:
    return Plan(msgspec.structs.replace(decision, refusal=error.message), (), error)


def cell_of(decision: Decision) -> str:
    """The cell a decision belongs to, whose incumbent `Live` tells.

    Whoever has rules of their own has incumbents of their own: another's would not be their choice.
    """
    return _cell(decision.request, decision.rules.holder)


def _cell(request: Request, holder: str | None) -> str:
    cell = f"{request.model}|{request.level or ''}|{request.task or ''}"
    return cell if holder is None else f"{cell}|{holder}"


def _order(
    pool: Pool, examiner: Examiner, scorer: Scorer, decision: Decision, attempts: int
) -> tuple[list[Option], list[Option]]:
    """The eligible by rank, and those to try.

    A list of fallbacks comes after an alias's targets; elsewhere it takes the place of the
    automatic order, right after the winner.
    """
    options = pool.eligible
    fallbacks = _listed(pool.eligible_fallbacks, examiner, scorer)
    if not options:
        return [], _tried(fallbacks, attempts)
    if len(options) == 1:
        ranked, winner, rest = options, options[0], []
    else:
        estimates = [examiner.estimate(option, place) for place, option in enumerate(options)]
        ranking = rank(estimates, scorer, decision.incumbent, decision.request.session)
        ranked = [options[estimate.place] for estimate in ranking.ranked]
        winner, *rest = diverse(options[ranking.winner.place], ranked)
    if decision.selection is Selection.ALIAS:
        return ranked, _tried([winner, *rest, *fallbacks], attempts)
    chosen = [option for option in rest if option.listed_at is not None]
    listed = _listed([*chosen, *fallbacks], examiner, scorer)
    unlisted = [option for option in rest if option.listed_at is None]
    return ranked, _tried([winner, *listed, *unlisted], attempts)


def _tried(options: Sequence[Option], attempts: int) -> list[Option]:
    """The first; behind them, for a prompt that proves too long, the next of a larger window than
    any of theirs, among those that every decision looks at."""
    first = list(options[:attempts])
    if attempts > 1 and len(options) > attempts:
        widest = max(window_of(option.entry.deployment) for option in first)
        others = options[attempts : max(KEPT, attempts)]
        first += islice((o for o in others if window_of(o.entry.deployment) > widest), 1)
    return first


def _listed(options: Sequence[Option], examiner: Examiner, scorer: Scorer) -> list[Option]:
    """In the list's order; deployments of one entry by rank."""
    return sorted(
        options, key=lambda option: (option.listed_at, scorer.key(examiner.estimate(option)))
    )


def _decision(
    snapshot: Snapshot,
    facts: RequestFacts,
    live: Live,
    found: Resolution,
    scale: Scale,
    holder: str | None,
) -> Decision:
    """All but the candidates."""
    ruleset = snapshot.ruleset
    holder = None if holder is None else digest(holder)
    request = Request(
        model=facts.model,
        input_tokens=facts.input_tokens,
        input_estimated=facts.input_estimated,
        max_tokens=facts.max_tokens,
        stream=facts.stream,
        level=found.level,
        task=facts.task,
        session=None if facts.session is None else digest(facts.session),
    )
    return Decision(
        id=facts.id,
        at=facts.now,
        snapshot=snapshot.number,
        live=live.number,
        live_age=live.age(facts.now),
        request=request,
        selection=found.selection,
        rules=rules_record(ruleset, scale, found, holder),
        chain=tuple(found.chain),
        incumbent=live.incumbents.get(_cell(request, holder)) if live.incumbents else None,
    )


def _recorded(
    decision: Decision,
    found: Resolution,
    pool: Pool,
    ranked: Sequence[Option],
    order: Sequence[Option],
    examiner: Examiner,
    keep: int,
) -> Decision:
    kept, request = _kept(pool, ranked, order, keep), decision.request
    if pool.served_level is not None:
        request = msgspec.structs.replace(request, served_level=pool.served_level)
    return msgspec.structs.replace(
        decision,
        request=request,
        unresolved=tuple(found.unresolved),
        candidates=tuple(record_of(option, examiner) for option in kept),
        others=pool.size - len(kept),
        excluded=pool.reasons,
        order=tuple(option.entry.deployment.id for option in order),
        last_resort=pool.last_resort,
    )


def _kept(pool: Pool, ranked: Sequence[Option], order: Sequence[Option], keep: int) -> list[Option]:
    """Those to try and the best of the rest, listed by rank: eligible, fallbacks, excluded."""
    tried = set(order)
    spare = max(keep - len(order), 0)
    kept = []
    for option in (*ranked, *pool.eligible_fallbacks):
        if option in tried:
            kept.append(option)
        elif spare > 0:
            spare -= 1
            kept.append(option)
    return [*kept, *islice(pool.excluded, spare)]


def _candidate(option: Option) -> Candidate:
    return Candidate(
        deployment=option.entry.deployment,
        price=option.entry.price,
        credentials=option.credentials,
        key_owner=option.payer,
    )
