import { expect, test } from "vitest";
import { namesOf } from "./names";

test("reads names by comma or line, each once, in their order", () => {
  expect(namesOf(" openai/gpt-4o,\n fast \n\n,fast,openai/gpt-4o ")).toEqual([
    "openai/gpt-4o",
    "fast",
  ]);
});
