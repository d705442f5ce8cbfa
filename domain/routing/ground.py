"""What a plan is made from: the rules that hold, and everybody who was looked at."""

import msgspec

from domain.health import Live
from domain.request import RequestFacts
from domain.routing.filters import Examiner, Option
from domain.routing.gather import Pool, gather
from domain.routing.resolve import Resolution
from domain.routing.score import Scale, Scorer, scale_of
from domain.snapshot import Snapshot


class Ground(msgspec.Struct, frozen=True):
    """`snapshot` is governed by the caller's rules."""

    snapshot: Snapshot
    found: Resolution
    scale: Scale
    scorer: Scorer
    examiner: Examiner
    pool: Pool

    @property
    def options(self) -> list[Option]:
        """Of a pool without members."""
        return [*self.pool.named, *self.pool.fallbacks]

    def again(self, facts: RequestFacts, live: Live) -> "Ground":
        """For a request of the same kind, to whom nobody is known to be closed or limited."""
        examiner = Examiner(self.snapshot, facts, live, self.scale.strategy)
        pool = msgspec.structs.replace(
            self.pool,
            named=[examiner.again(option) for option in self.pool.named],
            fallbacks=[examiner.again(option) for option in self.pool.fallbacks],
        )
        return msgspec.structs.replace(self, examiner=examiner, pool=pool)


def ground_of(snapshot: Snapshot, facts: RequestFacts, live: Live, found: Resolution) -> Ground:
    scale = scale_of(snapshot.ruleset, found.strategy or snapshot.ruleset.strategy)
    examiner = Examiner(snapshot, facts, live, scale.strategy)
    pool = gather(snapshot, facts, live, found, examiner)
    return Ground(snapshot, found, scale, Scorer(scale), examiner, pool)
