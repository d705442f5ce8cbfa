"""Which wire format each type of provider is spoken to in."""

from collections.abc import Mapping

from domain.snapshot import ProviderType
from gateway.adapter import anthropic, google, openai
from gateway.adapter.base import Adapter, Embedder

ADAPTERS: Mapping[ProviderType, Adapter] = {
    ProviderType.ANTHROPIC: anthropic,
    ProviderType.GOOGLE: google,
    ProviderType.OPENAI: openai,
    ProviderType.OPENROUTER: openai,
    ProviderType.TOGETHER: openai,
    ProviderType.HUGGINGFACE: openai,
    ProviderType.COHERE: openai,
    ProviderType.CUSTOM: openai,
}
EMBEDDERS: Mapping[ProviderType, Embedder] = {
    ProviderType.GOOGLE: google,
    ProviderType.OPENAI: openai,
    ProviderType.OPENROUTER: openai,
    ProviderType.TOGETHER: openai,
    ProviderType.HUGGINGFACE: openai,
    ProviderType.COHERE: openai,
    ProviderType.CUSTOM: openai,
}
"""Anthropic has no embeddings."""
