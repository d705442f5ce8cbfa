"""The HTTP endpoint: odd requests are refused clearly, and nothing of ours leaks."""

import orjson
import pytest
from graphql import get_introspection_query
from structlog.testing import capture_logs

from domain.bucket import Rate
from tests.fairlead.board import CANARY
from tests.fairlead.conftest import Door

WRITE = 'mutation { write(input: {text: "x"}) { ... on Note { text } } }'
GRAPHQL = {"accept": "application/graphql-response+json"}
JSON_BODY = {"content-type": "application/json"}

GARBAGE = [
    b"",
    b"null",
    b"[]",
    b"0",
    b'"query"',
    b"{",
    b"{}",
    b'{"query": null}',
    b'{"query": 1}',
    b'{"query": ""}',
    b'{"query": "{ echo }", "variables": []}',
    b'{"query": "{ echo }", "variables": "x"}',
    b'{"query": "{ echo }", "variables": 0}',
    b'{"query": "{ echo }", "operationName": 7}',
    b'{"query": "{ echo }", "extensions": []}',
    b'[{"query": "{ __typename }"}]',
    b'{"query": "{ __typename }", "variables": {"n": NaN}}',
    b'{"query": "{ __typename }", "variables": {"n": Infinity}}',
    b'{"query": "{ __typename }", "variables": {"n": 1e999}}',
    b'{"query": "\xff"}',
    b'\xef\xbb\xbf{"query": "{ __typename }"}',
    b'{"query": "\\ud800"}',
    b'{"query": "{ __typename }", "variables": {"n": "\\udfff"}}',
    b'{"query": "{ __typename }", "variables": ' + b'{"a":' * 17 + b"1" + b"}" * 17 + b"}",
    b'{"query": "{ __typename }", "variables": {"a":' + b"[" * 5_000 + b"]" * 5_000 + b"}}",
]


async def test_garbage_is_a_bad_request(door: Door) -> None:
    for body in GARBAGE:
        answer = await door.http.post("/graphql", content=body, headers=JSON_BODY | door.bearer)

        assert answer.status_code == 400, body[:60]
        assert answer.json()["errors"][0]["extensions"] == {"code": "MALFORMED_REQUEST"}


ODD_DOCUMENTS = [
    "{",
    "{ " * 400,
    "[" * 999,
    "{ echo(text: " + "[" * 400 + "]" * 400 + ") }",
    "query ($v: " + "[" * 300 + "Int" + "]" * 300 + ") { __typename }",
    "{ ..." * 200 + "}" * 200,
    '{ echo(text: "\\uD800") }',
    "\x00",
    "{ nothing }",
    "fragment f on Query { ...f } { ...f }",
    "type Query { a: Int }",
    "{ echo(text: 1) }",
    "{ a: echo(text: $b) }",
    "query a { __typename } query b { __typename }",
]


async def test_a_document_that_cannot_run_is_refused_and_never_fails_us(door: Door) -> None:
    for query in ODD_DOCUMENTS:
        answer = await door.ask(query, headers=GRAPHQL)

        assert answer.status_code == 400, query[:60]
        assert "data" not in answer.json()
        assert answer.json()["errors"][0]["message"]


async def test_validation_errors_keep_their_position(door: Door) -> None:
    answer = await door.ask("{\n  ecko\n}")

    assert answer.status_code == 200
    assert answer.json()["errors"] == [
        {
            "message": "Cannot query field 'ecko' on type 'Query'.",
            "locations": [{"line": 2, "column": 3}],
        }
    ]


async def test_too_much_is_refused_by_size(door: Door) -> None:
    long = await door.ask("{ __typename }" + " " * 16_000, headers=GRAPHQL)
    tokens = await door.ask("{ " + "__typename " * 999 + "}", headers=GRAPHQL)
    body = orjson.dumps({"query": "{ __typename }", "extensions": {"x": "y" * 300_000}})
    large = await door.http.post("/graphql", content=body, headers=JSON_BODY)
    costly = await door.ask("query ($n: Int) { notes(first: $n) { text } }", variables={"n": 9_999})

    assert (long.status_code, tokens.status_code, large.status_code) == (413, 400, 413)
    assert "more than 1000 tokens" in tokens.json()["errors"][0]["message"]
    assert costly.json()["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"
    assert "data" not in costly.json()


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, "application/json; charset=utf-8"),
        ("*/*", "application/json; charset=utf-8"),
        ("application/json", "application/json; charset=utf-8"),
        (
            "application/graphql-response+json, application/json;q=0.9",
            "application/graphql-response+json; charset=utf-8",
        ),
    ],
)
async def test_the_answer_has_the_media_type_asked_for(
    door: Door, accept: str | None, content_type: str
) -> None:
    headers = {} if accept is None else {"accept": accept}
    answer = await door.ask("{ mine }", headers=headers)

    assert (answer.status_code, answer.headers["content-type"]) == (200, content_type)
    assert answer.json()["data"] == {"mine": "ADMIN"}
    assert answer.json()["extensions"]["cost"]["limit"] == 2_000


async def test_a_variable_that_does_not_fit_is_a_request_error_and_is_not_repeated(
    door: Door,
) -> None:
    query = "mutation ($input: NoteInput!) { write(input: $input) { __typename } }"
    wrong = await door.ask(query, variables={"input": {"secret": CANARY}}, headers=GRAPHQL)
    worse = await door.ask(query, variables={"input": CANARY}, headers=GRAPHQL)
    typed = await door.ask(query, variables={"input": {"text": {"a": CANARY}}}, headers=GRAPHQL)

    listed = await door.ask(query, variables={"input": {"secret": [CANARY]}}, headers=GRAPHQL)
    for answer in (wrong, worse, typed, listed):
        assert answer.status_code == 400
        assert "has invalid value" in answer.text
        assert "data" not in answer.json()
        assert CANARY not in answer.text
    assert door.board.written == []


async def test_what_nobody_expected_is_a_number_outside_and_a_traceback_inside(door: Door) -> None:
    with capture_logs() as logs:
        broken = (await door.ask("{ broken mine }")).json()
        unspeakable = (await door.ask("{ unspeakable }")).json()

    for answer in (broken, unspeakable):
        error = answer["errors"][0]
        assert error["extensions"]["code"] == "INTERNAL"
        assert error["extensions"]["errorId"] in error["message"]
        assert CANARY not in str(answer)
    assert broken["errors"][0]["path"] == ["broken"]
    assert [entry["error_id"] for entry in logs] == [
        broken["errors"][0]["extensions"]["errorId"],
        unspeakable["errors"][0]["extensions"]["errorId"],
    ]
    assert all(entry["exc_info"] for entry in logs)


async def test_expected_failures_keep_their_words_and_code(door: Door) -> None:
    away = (await door.ask("{ away }")).json()["errors"][0]
    stranger = await door.ask("{ mine }", signed_in=False)
    introspection = await door.ask(get_introspection_query(), signed_in=False)

    assert (away["message"], away["extensions"]) == (
        "The database is away.",
        {"code": "UNAVAILABLE"},
    )
    assert stranger.status_code == 200
    assert stranger.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert introspection.status_code == 401
    assert (await door.ask(get_introspection_query())).json()["data"]["__schema"]["types"]


async def test_a_database_that_is_away_or_slow_is_no_internal_error(door: Door) -> None:
    away = (await door.ask("{ refused }")).json()["errors"][0]
    slow = (await door.ask("{ slow }")).json()["errors"][0]

    assert away["extensions"] == {"code": "UNAVAILABLE"}
    assert slow["extensions"] == {"code": "TIMEOUT"}
    assert CANARY not in f"{away}{slow}"


async def test_an_operation_has_a_deadline(door: Door) -> None:
    answer = (await door.ask('{ endless echo(text: "x") }')).json()

    assert answer["data"] is None
    assert answer["errors"][0]["extensions"] == {"code": "TIMEOUT"}


async def test_a_wrong_key_is_refused_before_anything_runs(door: Door) -> None:
    wrong = await door.ask(WRITE, headers={"authorization": "Bearer fl_nobody"})
    twice = await door.ask(WRITE, headers={"x-api-key": "fl_other"})

    assert (wrong.status_code, wrong.headers["www-authenticate"]) == (401, "Bearer")
    assert twice.status_code == 400
    assert door.board.written == []


@pytest.mark.parametrize("rate", [Rate(capacity=3, per_second=0.001)])
async def test_a_principal_has_a_budget_of_cost(door: Door, rate: Rate) -> None:
    answers = [await door.ask("{ mine }") for _ in range(4)]
    stranger = await door.ask('{ echo(text: "hi") }', signed_in=False)

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [a.json()["extensions"]["cost"]["remaining"] for a in answers[:3]] == [2, 1, 0]
    assert int(answers[3].headers["retry-after"]) > 900
    assert answers[3].json()["errors"][0]["extensions"] == {"code": "LIMIT_EXCEEDED"}
    assert stranger.status_code == 200


@pytest.mark.parametrize("rate", [Rate(capacity=4_000, per_second=0.001)])
async def test_reading_the_schema_takes_no_more_than_the_dearest_operation(door: Door) -> None:
    answers = [await door.ask(get_introspection_query()) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]


async def test_a_union_member_is_an_answer_and_not_an_error(door: Door) -> None:
    answer = (await door.ask(WRITE)).json()

    assert answer["data"] == {"write": {"text": "x"}}
    assert "errors" not in answer
    assert answer["extensions"]["cost"]["cost"] == 11


async def test_a_body_as_large_as_a_prompt_is_read_of_who_may_send_prompts(door: Door) -> None:
    big = orjson.dumps({"query": "{ __typename }", "variables": {"unused": "x" * 300_000}})

    stranger = await door.http.post("/graphql", content=big, headers=JSON_BODY)
    known = await door.http.post("/graphql", content=big, headers=JSON_BODY | door.bearer)

    assert stranger.status_code == 413
    assert known.json()["data"] == {"__typename": "Query"}


@pytest.mark.parametrize(
    "body",
    [
        {"query": '{ echo(text: "a\\u0000b") }'},
        {"query": '{ echo(text: "a\\u{0}b") }'},
        {"query": "query ($t: String) { echo(text: $t) }", "variables": {"t": "a\0b"}},
        {"query": "query ($t: JSON) { __typename }", "variables": {"t": {"x": ["\0"]}}},
        {"query": "query ($t: JSON) { __typename }", "variables": {"t": {"\0": 1}}},
    ],
)
async def test_a_nul_character_is_refused_wherever_it_is(
    door: Door, body: dict[str, object]
) -> None:
    """No column can hold one: it would be an error of ours."""
    answer = await door.http.post("/graphql", json=body, headers=door.bearer)

    assert answer.json()["errors"][0]["extensions"]["code"] == "MALFORMED_REQUEST"
