"""Makes catalogue.json out of models.dev's data: what the seed needs and nothing else.

    python -m db.seed.compile models_dev.json > db/seed/catalogue.json

Quality: in every benchmark with at least 12 models, a model's share of the others it is not worse
than (0..1). Quality is 0.40 + 0.55 * the mean of its shares, with one share of 0.5 added so that
few benchmarks do not make an extreme. A model in none has no figure: unknown stays unknown. The
scale's ends are those of routing's quality anchors.
"""

import json
import re
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

SLUGS = {"togetherai": "together"}
SINCE = "2025-01-01"
"""OpenRouter resells several hundred models; older ones than this are left to discovery."""

_MODALITIES = {"text": "TEXT", "image": "IMAGE", "audio": "AUDIO", "video": "VIDEO", "pdf": "PDF"}
_DATE = re.compile(r"-20\d{6}$")
_NOT_CHAT = re.compile(r"embedding")
_MOVING = re.compile(r"^~|^gemini-.*-latest$")
"""Names whose meaning, and so whose price, changes under them."""
_PREFILL = re.compile(r"claude-(3|(opus|sonnet|haiku)-4(-[0-5])?(-\d{8})?$)")
"""At Anthropic, models that go on with an answer given as the last message: its documentation has
it for all before 4.6, which refuse it from then on. No other provider documents it for a model."""
_FEE_PER_SEARCH = re.compile(r"^perplexity/|deep-research|search-preview")
_RESPONSES_ONLY = re.compile(r"-pro$|codex")
"""OpenAI answers these on `/responses` alone."""


def canonical(name: str) -> str:
    """The model's own name: no vendor, lower case; Claude's without date and with dashes."""
    short = name.rsplit("/", 1)[-1].lower()
    return _DATE.sub("", short.replace(".", "-")) if short.startswith("claude") else short


def qualities(benchmarks: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Quality, its source and its date by canonical name."""
    best: dict[str, dict[str, float]] = defaultdict(dict)
    dates: dict[str, str] = defaultdict(str)
    for row in benchmarks:
        name = canonical(row["model"])
        scores = best[row["name"]]
        scores[name] = max(row["score"], scores.get(name, row["score"]))
        dates[name] = max(dates[name], row.get("date", ""))
    shares: dict[str, dict[str, float]] = defaultdict(dict)
    for benchmark, scores in best.items():
        if len(scores) >= 12:
            for name, score in scores.items():
                beaten = sum(other <= score for other in scores.values()) - 1
                shares[name][benchmark] = beaten / (len(scores) - 1)
    return {
        name: {
            "quality": round(0.40 + 0.55 * (sum(found.values()) + 0.5) / (len(found) + 1), 3),
            "quality_source": f"models.dev: mean rank in {', '.join(sorted(found))}",
            "quality_date": dates[name] or None,
        }
        for name, found in shares.items()
    }


def wanted(row: dict[str, Any]) -> bool:
    """Current models that answer chat in text, priced per token; of OpenRouter's the recent."""
    if row.get("status") == "deprecated" or row.get("output", ["text"]) != ["text"]:
        return False
    if "text" not in row["input"] or not row.get("context"):
        return False
    if any(pattern.search(row["id"]) for pattern in (_NOT_CHAT, _MOVING, _FEE_PER_SEARCH)):
        return False
    if row["provider"] == "openai":
        return not _RESPONSES_ONLY.search(row["id"])
    if row["provider"] != "openrouter":
        return True
    router_of_its_own = row["id"].startswith("openrouter/") or ":" in row["id"]
    return not router_of_its_own and row["release_date"] >= SINCE


def model(row: dict[str, Any]) -> dict[str, Any]:
    """One entry of the catalogue."""
    capabilities = ["STREAMING"]
    capabilities += ["TOOLS"] if row.get("tools") else []
    capabilities += ["JSON_SCHEMA"] if row.get("structured_output") else []
    capabilities += ["VISION"] if "image" in row["input"] else []
    capabilities += ["REASONING"] if row.get("reasoning") else []
    if row["provider"] == "anthropic" and _PREFILL.match(row["id"]):
        capabilities.append("PREFILL")
    return {
        "provider": SLUGS.get(row["provider"], row["provider"]),
        "name": row["id"],
        "canonical_name": canonical(row["id"]),
        "display_name": row["name"],
        "context_length": row["context"],
        "max_output_tokens": row.get("max_output"),
        "input_modalities": [_MODALITIES[m] for m in row["input"] if m in _MODALITIES],
        "output_modalities": [_MODALITIES[m] for m in row.get("output", ["text"])],
        "capabilities": sorted(capabilities),
    }


def main() -> None:
    source = json.loads(Path(sys.argv[1]).read_text())
    known = qualities(source["benchmarks"])
    models = [model(row) for row in source["models"] if wanted(row)]
    for entry in models:
        entry |= known.get(entry["canonical_name"], {})
    models.sort(key=lambda entry: (entry["provider"], entry["name"]))
    rows = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in models)
    sys.stdout.write(f'{{"source": {json.dumps(source["source"])},\n"models": [\n{rows}\n]}}\n')


if __name__ == "__main__":
    main()
