"""What was observed of models is shown of them and, together, of their providers."""

from db.session import Database
from domain.health import Failure, Observatory
from domain.principal import Principal
from domain.usage import TokenUsage
from tests.resolvers.conftest import GraphQL
from tests.resolvers.seeds import seed

HEALTH = (
    "health { state samples firstTokenP50Ms firstTokenP95Ms tokensPerSecond errorRate observedAt }"
)
DOCUMENT = f"""
{{
  provider(slug: "p000") {{ {HEALTH} models(orderBy: {{field: NAME}}) {{ nodes {{ {HEALTH} }} }} }}
}}
"""
UNKNOWN = {
    "state": "UNKNOWN",
    "samples": 0,
    "firstTokenP50Ms": None,
    "firstTokenP95Ms": None,
    "tokensPerSecond": None,
    "errorRate": None,
    "observedAt": None,
}


async def test_before_the_first_request_nothing_is_known(
    graphql: GraphQL, database: Database, admin: Principal
) -> None:
    await seed(database, 1)
    await graphql.configuration.refresh()

    shown = (await graphql.data(DOCUMENT, admin))["provider"]

    assert shown == {"health": UNKNOWN, "models": {"nodes": [{"health": UNKNOWN}] * 2}}


async def test_answers_and_failures_are_seen(
    graphql: GraphQL, database: Database, admin: Principal, observatory: Observatory
) -> None:
    await seed(database, 1)
    await graphql.configuration.refresh()
    by_reference = graphql.configuration.snapshot.by_reference
    for _ in range(25):
        observatory.succeeded(
            by_reference["p000/m000"],
            first_token=0.2,
            duration=1.2,
            usage=TokenUsage(input=10, output=100),
        )
    for _ in range(5):
        observatory.failed(by_reference["p000/m001"], Failure.SERVER_ERROR)

    shown = (await graphql.data(DOCUMENT, admin))["provider"]

    good, bad = (node["health"] for node in shown["models"]["nodes"])
    assert (good["state"], good["samples"], good["errorRate"]) == ("HEALTHY", 25, 0.0)
    assert 180 <= good["firstTokenP50Ms"] <= 220
    assert 80 <= good["tokensPerSecond"] <= 120
    assert bad["state"] == "UNHEALTHY"
    assert shown["health"]["state"] == "DEGRADED"


async def test_what_was_not_observed_is_not_shown(
    graphql: GraphQL, database: Database, admin: Principal, observatory: Observatory
) -> None:
    """Routing leans on what it assumes; a median of few answers shown is theirs alone."""
    await seed(database, 1)
    await graphql.configuration.refresh()
    by_reference = graphql.configuration.snapshot.by_reference
    for reference, first_token in (("p000/m000", None), ("p000/m001", 0.2)):
        observatory.succeeded(
            by_reference[reference],
            first_token=first_token,
            duration=0.4,
            usage=TokenUsage(input=10, output=21),
        )

    shown = (await graphql.data(DOCUMENT, admin))["provider"]

    whole, streamed = (node["health"] for node in shown["models"]["nodes"])
    assert (whole["samples"], streamed["samples"]) == (1, 1)
    assert (whole["firstTokenP50Ms"], whole["firstTokenP95Ms"]) == (None, None)
    assert 190 <= streamed["firstTokenP50Ms"] <= streamed["firstTokenP95Ms"] <= 220
    assert 90 <= streamed["tokensPerSecond"] <= 110
    assert shown["health"]["firstTokenP50Ms"] == streamed["firstTokenP50Ms"]
