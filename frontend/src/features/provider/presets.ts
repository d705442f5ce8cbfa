/** What is known of each provider type, so that nobody has to look it up. */
import type { ProviderType } from "../../gql/provider";

export interface Preset {
  label: string;
  slug: string;
  baseUrl: string;
  keyHint: string;
}

export const PRESETS: Record<ProviderType, Preset> = {
  OPENAI: {
    label: "OpenAI",
    slug: "openai",
    baseUrl: "https://api.openai.com/v1",
    keyHint: "Starts with sk-; platform.openai.com → API keys.",
  },
  ANTHROPIC: {
    label: "Anthropic",
    slug: "anthropic",
    baseUrl: "https://api.anthropic.com/v1",
    keyHint: "Starts with sk-ant-; console.anthropic.com → API keys.",
  },
  GOOGLE: {
    label: "Google Gemini",
    slug: "google",
    baseUrl: "https://generativelanguage.googleapis.com/v1beta",
    keyHint: "Starts with AIza; aistudio.google.com → Get API key.",
  },
  OPENROUTER: {
    label: "OpenRouter",
    slug: "openrouter",
    baseUrl: "https://openrouter.ai/api/v1",
    keyHint: "Starts with sk-or-; openrouter.ai → Keys.",
  },
  TOGETHER: {
    label: "Together AI",
    slug: "together",
    baseUrl: "https://api.together.xyz/v1",
    keyHint: "api.together.xyz → Settings → API keys.",
  },
  HUGGINGFACE: {
    label: "Hugging Face",
    slug: "huggingface",
    baseUrl: "https://router.huggingface.co/v1",
    keyHint: "Starts with hf_; needs the permission to call inference providers.",
  },
  COHERE: {
    label: "Cohere",
    slug: "cohere",
    baseUrl: "https://api.cohere.ai/compatibility/v1",
    keyHint: "dashboard.cohere.com → API keys.",
  },
  CUSTOM: {
    label: "Custom",
    slug: "local",
    baseUrl: "",
    keyHint: "Leave empty when the server asks for none.",
  },
};

export const TYPES = Object.entries(PRESETS).map(
  ([type, { label }]) => [type as ProviderType, label] as const,
);
