"""What a model's name asks of the fake provider: `label-part-part…`."""

import re
from dataclasses import dataclass
from enum import StrEnum

GRAMMAR = """\
A model's name is a label without a dash, then parts: fake, fake-t50-n64, cheap-fail500x1.
  t<ms>          time to the first byte              g<ms>       gap between chunks
  n<count>       content chunks, one token each (8)  echo        answer with the last user message
  i<n> o<n>      input and output tokens reported    c<n> r<n>   of them cached, of them reasoning
  w<n> h<n>      input tokens written to the cache, of them kept an hour
  s<n>           searches of the web reported (Anthropic)
  tools<k>       call the first k (1) tools asked    nousage     never report usage
  absurd         impossible usage figures            contentfilter, contextlength   refused with 400
  nooptions      refused with 400 when stream_options is sent
  noprefill      refused with 400 when the last turn is the assistant's; else that is gone on with
The label `other` says other words than all others.
  d<bytes>       sent in pieces of so many bytes
Faults; x<k> after one means only the first k requests of that model name suffer it:
  fail<status>   an error status; fail429r2 adds Retry-After: 2
  silent         never answers                       reset       connection reset before headers
  cut<n> rst<n>  connection closed / reset after n chunks, nothing terminal
  stall<n>       nothing more after n chunks         malformed<n>  one event after n is no JSON
  inband<n>      an error event after n chunks       nodone      ends cleanly without [DONE]
  error200       status 200 with an error in place of an answer
  html           status 200 with a web page in place of an answer
  gzip           8 MiB of zeros, compressed to 8 KiB, in place of an answer
  huge<n>        after n chunks a line without an end
  flap<k>        of each 2k requests of that model name the first k are refused with 503
Faults after n chunks break an answer that is not streamed in the middle of its body."""


class Fault(StrEnum):
    FAIL = "fail"
    SILENT = "silent"
    RESET = "reset"
    CUT = "cut"
    RST = "rst"
    STALL = "stall"
    MALFORMED = "malformed"
    INBAND = "inband"
    NODONE = "nodone"
    ERROR200 = "error200"
    HTML = "html"
    GZIP = "gzip"
    HUGE = "huge"
    FLAP = "flap"


@dataclass(slots=True)
class Behaviour:
    """Times in milliseconds; `at` is the number of chunks, or the status, a fault names."""

    first_byte: int = 0
    gap: int = 0
    chunks: int = 8
    echo: bool = False
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    written_tokens: int = 0
    hour_tokens: int = 0
    searches: int = 0
    tools: int = 0
    usage: bool = True
    absurd: bool = False
    refusal: str | None = None
    fault: Fault | None = None
    at: int = 0
    retry_after: int | None = None
    times: int | None = None
    drip: int = 0

    def spares(self, request: int) -> bool:
        """Whether the fault leaves out this request of the model, counted from 1."""
        if self.fault is Fault.FLAP:
            return (request - 1) % (2 * self.at) >= self.at
        return self.times is not None and request > self.times


_NUMBERS = {
    "t": "first_byte",
    "g": "gap",
    "n": "chunks",
    "i": "input_tokens",
    "o": "output_tokens",
    "c": "cached_tokens",
    "r": "reasoning_tokens",
    "w": "written_tokens",
    "h": "hour_tokens",
    "s": "searches",
    "d": "drip",
}
_FAULT = re.compile(
    r"(?:(fail)([1-5]\d\d)(?:r(\d+))?|(cut|rst|stall|malformed|inband|huge|flap)(\d+)"
    r"|(silent|reset|nodone|error200|html|gzip))(?:x(\d+))?"
)
_TOOLS = re.compile(r"tools(\d?)")
_NUMBER = re.compile(r"([tgniocrwhsd])(\d+)")


def parse(model: str) -> Behaviour | None:
    """What `model` asks for; None when a part means nothing: there is no such model."""
    behaviour = Behaviour()
    parts = model.split("-")
    known = bool(parts[0]) and all(_apply(behaviour, part) for part in parts[1:])
    return behaviour if known else None


def _apply(behaviour: Behaviour, part: str) -> bool:
    if number := _NUMBER.fullmatch(part):
        setattr(behaviour, _NUMBERS[number[1]], int(number[2]))
    elif fault := _FAULT.fullmatch(part):
        name = fault[1] or fault[4] or fault[6]
        behaviour.fault = Fault(name)
        behaviour.at = int(fault[2] or fault[5] or 0)
        behaviour.retry_after = int(fault[3]) if fault[3] else None
        behaviour.times = int(fault[7]) if fault[7] else None
    elif part in ("contextlength", "contentfilter", "nooptions", "noprefill"):
        behaviour.refusal = part
    elif part == "nousage":
        behaviour.usage = False
    elif tools := _TOOLS.fullmatch(part):
        behaviour.tools = int(tools[1] or 1)
    elif part in ("echo", "absurd"):
        setattr(behaviour, part, True)
    else:
        return False
    return True
