"""Writes the fault table as a page: cells that came to the same share a line."""

from collections.abc import Mapping, Sequence

from tests.gateway.faults.cells import OUT, Cell, Fault, In, Result

HEAD = """\
# When a provider fails

What each fault of a provider comes to, measured: a real data plane, a real client, a provider that
fails on request, and a spare (OpenAI-compatible, with another price and a larger window) to fall
back on. `python -m tests.gateway.faults > docs/faults.md` measures it anew; the tests of
`tests/gateway/faults` hold every cell to this page.

The caller asked with 3 words and gets 8, at $3 and $15 for a million tokens in and out; the spare
has the same words, at $1 and $2, and takes the beginning of an answer. **Failed attempts are never
billed.** An answer that the spare brought to its end is billed by the spare's figures, one that
nobody could for what was delivered, as an estimate. Words such as `SERVER_ERROR` are how each
attempt ended, as it is in the request's record.

"An error event and no end": the last event says what happened, in the format of the request
(`data: {"error": …}` or `event: error`), no terminal event follows and the body breaks off, so that
every official client raises.

| fault | mode | in → out | the caller got | attempts | billed |
|---|---|---|---|---|---|
"""
_NAMES = {In.CHAT: "chat", In.MESSAGES: "messages", In.EMBEDDINGS: "embeddings"}


def lines(fault: Fault, results: Mapping[Cell, Result]) -> str:
    """Of one fault."""
    return "".join(
        _line(fault, stream, cells, result)
        for stream in (False, True)
        for result, cells in _alike(results, stream)
    )


def _alike(results: Mapping[Cell, Result], stream: bool) -> Sequence[tuple[Result, Sequence[Cell]]]:
    found: dict[Result, list[Cell]] = {}
    for cell, result in results.items():
        if cell.stream is stream:
            found.setdefault(result, []).append(cell)
    return list(found.items())


def _line(fault: Fault, stream: bool, cells: Sequence[Cell], result: Result) -> str:
    mode = "stream" if stream else "whole"
    parts = (
        fault.title,
        mode,
        _which(cells, fault, stream),
        result.got,
        ", ".join(result.attempts),
        result.billed,
    )
    return f"| {' | '.join(parts)} |\n"


def _which(cells: Sequence[Cell], fault: Fault, stream: bool) -> str:
    """`every` or, for each format in, the formats out."""
    if len(cells) == sum(cell.stream is stream for cell in fault.cells):
        return "every"
    ways = []
    for format, name in _NAMES.items():
        outs = [OUT[cell.out] for cell in cells if cell.format is format]
        of = [cell for cell in fault.cells if cell.format is format and cell.stream is stream]
        if outs:
            ways.append(f"{name} → {'every' if len(outs) == len(of) else ', '.join(outs)}")
    return "; ".join(ways)
