"""How long an attempt may take, from what was observed (routing.md 3)."""

from domain.health.live import Vitals

SHORTEST, LONGEST = 2.5, 10.0
REASONING_FLOOR = 60.0
PREFILL = 4_000.0
UNBOUNDED_ANSWER = 4_096
SLOWNESS = 3.0
ASSUMED_SPEED = 15.0


def first_token_deadline(vitals: Vitals | None, input_tokens: int, *, reasoning: bool) -> float:
    """Seconds until the first token of a stream must have come.

    Twice the mean and four deviations, within 2.5 and 10 s, and the time to read the prompt.
    """
    wait = LONGEST
    prefill = PREFILL
    if vitals is not None and vitals.ttft_mean is not None:
        usual = 2.0 * (vitals.ttft_mean + 4.0 * vitals.ttft_deviation)
        wait = min(max(usual, SHORTEST), LONGEST)
        prefill = vitals.prefill or PREFILL
    wait += input_tokens / prefill
    return max(wait, REASONING_FLOOR) if reasoning else wait


def answer_deadline(
    vitals: Vitals | None, input_tokens: int, max_tokens: int | None, *, reasoning: bool
) -> float:
    """Seconds until an answer that is not streamed must be there whole.

    The first token's, and three times what the longest answer expected takes.
    """
    speed = ASSUMED_SPEED if vitals is None else vitals.speed / SLOWNESS
    longest = UNBOUNDED_ANSWER if max_tokens is None else max_tokens
    first = first_token_deadline(vitals, input_tokens, reasoning=reasoning)
    return first + longest / speed
