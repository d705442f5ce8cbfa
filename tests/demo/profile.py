"""The shape of real traffic: when requests come and how long they are, from the Azure LLM trace.

`profile.json` is derived from AzureLLMInferenceTrace 2023 (Azure/AzurePublicDataset, CC BY 4.0):
requests in each of 60 minutes, and 240 pairs of input and output tokens, evenly through the trace
in the order of their input. Hours and days are not in that trace; their shape here is an office's.
"""

import json
import random
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("profile.json")
_HOURS = (2, 1, 1, 1, 1, 2, 4, 8, 14, 18, 19, 18, 14, 16, 18, 18, 16, 13, 9, 7, 6, 5, 4, 3)
_WEEKEND = 0.3


@dataclass(frozen=True)
class Profile:
    kinds: dict[str, Any]

    @classmethod
    def load(cls) -> "Profile":
        return cls(json.loads(_FILE.read_text()))

    @cached_property
    def minutes(self) -> list[float]:
        """How busy each minute of an hour is, 1 on average."""
        counts = [kind["minutes"] for kind in self.kinds.values()]
        sums = [sum(each) for each in zip(*counts, strict=True)]
        return [60 * count / sum(sums) for count in sums]

    def tokens(self, kind: str, random: random.Random) -> tuple[int, int]:
        """(input, output) of one request."""
        input, output = random.choice(self.kinds[kind]["tokens"])
        return input, output

    def busyness(self, at: datetime) -> float:
        """Relative to an average weekday hour."""
        day = _WEEKEND if at.weekday() >= 5 else 1.0
        return day * 24 * _HOURS[at.hour] / sum(_HOURS)

    def second(self, random: random.Random) -> float:
        """A second of an hour, as busy as its minute."""
        return random.choices(range(60), self.minutes)[0] * 60 + random.random() * 60
