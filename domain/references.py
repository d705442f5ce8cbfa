"""What routing rules name, so that nothing in use is deleted unawares."""

from collections.abc import Callable, Iterator

import msgspec

from db.queries.references import rules_in_use
from db.session import AsyncSession
from domain.errors import Conflict
from domain.ruleset import RuleBody

_NAMED = 20
"""How many references a refusal lists."""


async def refuse_when_named(
    session: AsyncSession, what: str, matches: Callable[[str], bool]
) -> None:
    """Raise Conflict, listing the rules in use that name something `matches` accepts."""
    references = [
        f"{place} of {rule.state.lower()} {rule.scope.lower()} rules, version {rule.version}"
        for rule in await rules_in_use(session)
        for place in _places(msgspec.convert(rule.body, RuleBody), matches)
    ]
    if references:
        raise Conflict(
            f"{what} is named by {len(references)} places in routing rules; change them or force.",
            references=references[:_NAMED],
        )


def _places(body: RuleBody, matches: Callable[[str], bool]) -> Iterator[str]:
    for name, alias in body.aliases.items():
        if any(map(matches, alias.targets)):
            yield f"targets of alias `{name}`"
        if any(map(matches, alias.fallbacks)):
            yield f"fallbacks of alias `{name}`"
    if any(map(matches, body.fallbacks or ())):
        yield "fallbacks"
