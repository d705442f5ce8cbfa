/** What a webhook can hear of, in words. */
import type { WebhookEventType } from "../../gql/webhook";

/** Without WEBHOOK_TEST, which comes only when it is asked for. */
export const EVENTS: readonly (readonly [WebhookEventType, string])[] = [
  ["SPEND_THRESHOLD", "Spending came near a limit, or passed it"],
  ["PROVIDER_HEALTH_CHANGED", "A provider's health changed"],
  ["CREDENTIAL_DISABLED", "A provider's key was refused or switched off"],
  ["CREDENTIAL_RESTORED", "A provider takes a key again that it had refused"],
  ["CREDITS_LOW", "Credits are down to a tenth of what was last paid in"],
  ["CREDITS_EXHAUSTED", "Credits are used up"],
  ["RULES_PUBLISHED", "Routing rules were published"],
  ["PRICE_CHANGED", "A model's price changed"],
  ["PROVIDER_CHANGED", "A provider was changed"],
  ["CATALOGUE_CHANGED", "The catalogue was changed"],
  ["API_KEY_CREATED", "An API key was made"],
  ["API_KEY_REVOKED", "An API key was revoked"],
];

export function eventWords(type: WebhookEventType): string {
  return EVENTS.find(([each]) => each === type)?.[1] ?? "A test";
}
