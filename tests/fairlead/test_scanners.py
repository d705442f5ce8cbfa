"""What scanners of GraphQL servers look for, on a real installation.

schemathesis makes up operations from the schema, in three roles; no answer may be a failure of
ours. graphql-cop is in no package registry: its checks are repeated here, one for one, with what
it sends; docs/decisions argues the findings that stay.
"""

import asyncio
import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
import schemathesis
from graphql import get_introspection_query
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.core.result import Ok
from schemathesis.graphql import nodes, scalar

from tests.e2e.installation import Installation, running

EXAMPLES = 120
"""Operations for each role."""
OURS = ("INTERNAL", "TIMEOUT", "UNAVAILABLE")
PERSON = """
mutation ($id: ID!) {
  issueApiKey(input: {user: $id, name: "fuzz", scopes: [READ, MANAGE, INFERENCE]}) {
    ... on IssueApiKeyPayload { secret }
  }
}
"""
CREATE = (
    'mutation { createUser(input: {name: "Uma"}) { ... on CreateUserPayload { user { id } } } }'
)
TEXTS = st.text(max_size=30)
AMOUNTS = st.decimals(min_value=-10, max_value=10**6, places=9).map(str)

for name, values in (
    ("Secret", TEXTS.map(nodes.String)),
    ("JSON", TEXTS.map(nodes.String)),
    ("USD", AMOUNTS.map(nodes.String)),
    ("BigInt", st.integers(-(2**63), 2**63).map(nodes.Int)),
    ("DateTime", st.datetimes().map(lambda when: nodes.String(f"{when.isoformat()}Z"))),
):
    scalar(name, values)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="fairlead-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def installation(folder: Path) -> AsyncIterator[Installation]:
    async with running(folder, FAIRLEAD_PROBE_SECONDS="0") as started:
        yield started


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def keys(installation: Installation) -> dict[str, str | None]:
    """A key for each role."""
    made = (await installation.graphql(CREATE))["createUser"]["user"]["id"]
    issued = (await installation.graphql(PERSON, id=made))["issueApiKey"]
    return {"administrator": installation.key, "user": issued["secret"], "anonymous": None}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("role", ["user", "anonymous", "administrator"])
async def test_no_operation_of_the_schema_fails_on_our_side(
    installation: Installation, keys: dict[str, str | None], role: str
) -> None:
    told = await installation.graphql(get_introspection_query())
    headers = {} if (key := keys[role]) is None else {"authorization": f"Bearer {key}"}
    answers = await asyncio.to_thread(ask, installation.base_url, told, headers)

    assert len(answers) == EXAMPLES
    assert [each for each in answers if each[0] >= 500 or set(each[1]) & set(OURS)] == []
    codes = {code for _, found in answers for code in found}
    assert ("UNAUTHENTICATED" in codes) == (role == "anonymous"), "the role is what it should be"


def ask(base_url: str, introspection: Any, headers: dict[str, str]) -> list[tuple[int, list[str]]]:
    """Status, and codes of the errors, of each operation that was made up."""
    schema = schemathesis.graphql.from_dict(introspection)
    operations = [each.ok() for each in schema.get_all_operations() if isinstance(each, Ok)]
    answers: list[tuple[int, list[str]]] = []

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.sampled_from(operations).flatmap(lambda each: each.as_strategy()))
    def each(case: Any) -> None:
        body = json.dumps({"query": case.body}).encode("utf-8", "surrogatepass")
        sent = {**headers, "content-type": "application/json"}
        answer = client.post("/graphql", content=body, headers=sent)
        errors = answer.json().get("errors") or []
        codes = [str((each.get("extensions") or {}).get("code")) for each in errors]
        answers.append((answer.status_code, codes))

    with httpx2.Client(base_url=base_url, trust_env=False, timeout=30) as client:
        each()
    return answers


CIRCULAR = "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }"
REFUSED = {
    "Array-based Query Batching": {"json": [{"query": "{ __typename }"}] * 10},
    "Directive Overloading": {"json": {"query": "{ __typename " + "@aa" * 100 + " }"}},
    "Circular Introspection": {"json": {"query": CIRCULAR}},
    "Introspection": {"json": {"query": get_introspection_query()}},
    "Field Suggestions": {"json": {"query": "{ __schema { directive } }"}},
    "POST by urlencoded (CSRF)": {"data": {"query": "{ __typename }"}},
    "Unhandled Errors": {"json": {"query": "qwerty cop { abc }"}},
}
"""Sent by graphql-cop without a credential: it reports a finding when they are answered."""
LEAKS = ("Did you mean", "Traceback", "exception", "stacktrace", "graphiql", "tracing")


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("check", REFUSED)
async def test_graphql_cop_finds_nothing(installation: Installation, check: str) -> None:
    async with httpx2.AsyncClient(base_url=installation.base_url, trust_env=False) as client:
        answer = await client.post("/graphql", **REFUSED[check])  # type: ignore[arg-type]

    told = answer.json()
    assert answer.status_code < 500
    assert told.get("data") is None
    assert 1 <= len(told["errors"]) <= 5, "and not one for each directive"
    assert [leak for leak in LEAKS if leak.lower() in answer.text.lower()] == []


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("document", ["{ __typename }", "mutation { __typename }"])
async def test_graphql_cop_finds_no_get(installation: Installation, document: str) -> None:
    async with httpx2.AsyncClient(base_url=installation.base_url, trust_env=False) as client:
        answer = await client.get("/graphql", params={"query": document})

    assert answer.status_code == 405
    assert "__typename" not in answer.text


@pytest.mark.asyncio(loop_scope="module")
async def test_the_findings_that_stay_are_bounded(installation: Installation) -> None:
    """Aliases as far as 1,000 tokens go, no field over and over, and GraphiQL as our own page."""
    aliases = "{" + " ".join(f"alias{n}: __typename" for n in range(101)) + "}"
    beyond = "{" + " ".join(f"alias{n}: __typename" for n in range(334)) + "}"
    repeated, more = ("{" + "__typename \n" * n + "}" for n in (21, 999))
    async with httpx2.AsyncClient(base_url=installation.base_url, trust_env=False) as client:
        answers = [
            (await client.post("/graphql", json={"query": query})).json()
            for query in (aliases, beyond, repeated, more)
        ]
        page = await client.get("/graphql", headers={"accept": "text/html"})

    assert len(answers[0]["data"]) == 101
    assert [each.get("data") for each in answers[1:]] == [None, None, None]
    assert page.status_code == 200
    assert "http://" not in page.text
    assert "https://" not in page.text, "nothing is loaded from elsewhere"
