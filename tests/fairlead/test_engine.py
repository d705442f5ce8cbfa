"""What the engine keeps in memory stays within bounds."""

import pytest
from graphql import parse

from domain.bucket import Buckets, Rate
from domain.errors import LimitExceeded
from fairlead.graphql.engine import Documents


def test_the_least_recently_used_document_goes_first() -> None:
    texts = ["{ aa }", "{ bb }", "{ cc }"]
    documents = Documents(most=12)
    for text in texts[:2]:
        documents.put(text, parse(text))
    assert documents.get(texts[0]) is not None
    documents.put(texts[2], parse(texts[2]))

    assert [documents.get(text) is not None for text in texts] == [True, False, True]


def test_a_bucket_refills_and_never_overflows() -> None:
    now = 0.0
    buckets = Buckets(Rate(capacity=10, per_second=2), clock=lambda: now)

    assert buckets.take("a", 8) == 2
    with pytest.raises(LimitExceeded) as refused:
        buckets.take("a", 4)
    assert refused.value.retry_after == 1.0
    assert buckets.level("a") == 2
    now = 1.0
    assert buckets.take("a", 4) == 0
    now = 1_000.0
    assert buckets.level("a") == 10
    assert buckets.take("b", 25) == -15


def test_the_least_recently_used_bucket_goes_first() -> None:
    buckets = Buckets(Rate(capacity=10, per_second=1), most=2, clock=lambda: 0.0)
    for key in ("a", "b", "a", "c"):
        buckets.take(key, 1)

    assert [buckets.level(key) for key in ("a", "b", "c")] == [8, 10, 9]
