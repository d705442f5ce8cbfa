"""Who and what the demonstration shows: upstreams, models, people and rules, all made up."""

from dataclasses import dataclass
from typing import Any

SLUG = "demo-"
"""Begins the slug of every provider of the demonstration, and marks the database as one."""
ISSUER = "demo"
"""Of the demonstration's people."""
TOOLS = ("STREAMING", "TOOLS", "JSON_SCHEMA")


@dataclass(frozen=True)
class Served:
    """A model. `behaves` is what the fake provider makes of it (tests/provider/behaviour.py).

    Prices in US dollars per 1M tokens; `was` is its input price 60 days ago.
    """

    name: str
    behaves: str
    display: str
    input: str
    output: str
    quality: float
    first_token: float
    speed: float
    context: int = 128_000
    was: str | None = None


@dataclass(frozen=True)
class Upstream:
    slug: str
    name: str
    priority: int
    models: tuple[Served, ...]


UPSTREAMS = (
    Upstream(
        f"{SLUG}aurora",
        "Aurora (demo)",
        10,
        (
            Served(
                "atlas-large",
                "demo-t240-g9-n2048",
                "Atlas Large",
                "5",
                "15",
                0.88,
                0.42,
                95,
                was="6",
            ),
            Served("atlas-mini", "demo-t120-g5-n2048", "Atlas Mini", "0.15", "0.6", 0.71, 0.2, 170),
        ),
    ),
    Upstream(
        f"{SLUG}borealis",
        "Borealis (demo)",
        20,
        (
            Served(
                "sonata", "demo-t310-g8-n2048", "Sonata", "3", "12", 0.86, 0.5, 110, 200_000, "3.5"
            ),
            Served(
                "sonata-swift", "demo-t150-g4-n2048", "Sonata Swift", "0.8", "4", 0.78, 0.25, 210
            ),
            Served("opera", "demo-t520-g14-n2048", "Opera", "12", "48", 0.93, 0.8, 62, 200_000),
        ),
    ),
    Upstream(
        f"{SLUG}cirrus",
        "Cirrus (demo)",
        30,
        (
            Served(
                "open-70b",
                "demo-t180-g6-n2048",
                "Open 70B",
                "0.55",
                "0.75",
                0.74,
                0.3,
                140,
                was="0.9",
            ),
            Served("open-8b", "demo-t70-g3-n2048", "Open 8B", "0.06", "0.08", 0.58, 0.12, 290),
            Served(
                "gust-preview", "demo-t90-fail503", "Gust (preview)", "0.2", "0.4", 0.6, 0.2, 150
            ),
        ),
    ),
)
FAILING = "gust-preview"
NEWS = {"herald": "demo-t90-g4-n2048", "herald-lite": "demo-t60-g3-n2048"}
"""Models the upstreams list and the catalogue does not have: for discovery to find."""


@dataclass(frozen=True)
class Person:
    """`weight`: the share of traffic. `key`: the application that asks for this person."""

    name: str
    key: str
    weight: float
    owns_key_at: str | None = None


PEOPLE = (
    Person("Ada Okafor (demo)", "support chat", 5),
    Person("Bruno Keller (demo)", "code assistant", 4),
    Person("Chiara Rossi (demo)", "report writer", 2),
    Person("Devi Nair (demo)", "search answers", 3),
    Person("Emil Novak (demo)", "own experiments", 1, owns_key_at=f"{SLUG}aurora"),
)

ALIASES: list[dict[str, Any]] = [
    {
        "name": "demo-support",
        "targets": [f"{SLUG}aurora/{UPSTREAMS[0].models[1].name}"],
        "fallbacks": [f"{SLUG}cirrus/{UPSTREAMS[2].models[0].name}"],
    },
    {
        "name": "demo-code",
        "targets": [
            f"{SLUG}borealis/{UPSTREAMS[1].models[0].name}",
            f"{SLUG}aurora/{UPSTREAMS[0].models[0].name}",
        ],
        "strategy": "LATENCY",
    },
]

ASKED = (
    ("auto", "conversation", 34),
    ("auto:eco", "conversation", 14),
    ("auto:precision", "code", 4),
    ("demo-support", "conversation", 22),
    ("demo-code", "code", 20),
    (f"{SLUG}borealis/{UPSTREAMS[1].models[2].name}", "code", 3),
    (f"{SLUG}cirrus/{FAILING}", "conversation", 1),
)
"""(model asked for, kind of traffic, share)."""
