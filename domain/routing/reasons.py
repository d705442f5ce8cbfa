"""Puts the ways candidates fell out into words, counted."""

from collections.abc import Mapping

from domain.decision import Reason


def reasons(excluded: Mapping[Reason, int]) -> tuple[str, ...]:
    """One line for each reason, the most frequent first."""
    if not excluded:
        return ("there are no models here yet",)
    ordered = sorted(excluded.items(), key=lambda item: (-item[1], item[0]))
    return tuple(f"{count} {_said(reason)}" for reason, count in ordered)


def _said(reason: Reason) -> str:
    match reason:
        case Reason.DISABLED:
            return "disabled"
        case Reason.NOT_ALLOWED:
            return "not allowed to this key"
        case Reason.NO_KEY:
            return "without a provider key that works"
        case Reason.KEY_LIMITED:
            return "with every key refused or limited for now"
        case Reason.CAPABILITY:
            return "without a capability that the request needs"
        case Reason.MODALITY:
            return "that do not take or give such content"
        case Reason.REGION:
            return "outside the regions that the rules allow"
        case Reason.CONTEXT_WINDOW:
            return "with too small a context window"
        case Reason.OUTPUT_LIMIT:
            return "that cannot answer at such length"
        case Reason.PRICE_UNKNOWN:
            return "of unknown price"
        case Reason.LEVEL:
            return "of another power level"
        case Reason.CIRCUIT_OPEN:
            return "that failed just now"
