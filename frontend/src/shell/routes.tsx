/** Addresses of the app; each tab's code is fetched when it is first opened. */
import { createBrowserRouter, type RouteObject } from "react-router";
import { AppShell } from "./AppShell";
import { Broken } from "./Broken";
import { NotFound } from "./NotFound";

const tabs: RouteObject[] = [
  { index: true, lazy: async () => ({ Component: (await import("../features/home/Home")).Home }) },
  {
    path: "providers",
    lazy: async () => ({ Component: (await import("../features/provider/Providers")).Providers }),
  },
  {
    path: "models",
    lazy: async () => ({ Component: (await import("../features/model/Models")).Models }),
  },
  {
    path: "rules",
    lazy: async () => ({ Component: (await import("../features/rule/Rules")).Rules }),
  },
  {
    path: "usage",
    lazy: async () => ({ Component: (await import("../features/usage/Usage")).Usage }),
  },
  {
    path: "byok",
    lazy: async () => ({ Component: (await import("../features/byok/Byok")).Byok }),
  },
  {
    path: "keys",
    lazy: async () => ({ Component: (await import("../features/apikey/ApiKeys")).ApiKeys }),
  },
  {
    path: "credits",
    lazy: async () => ({ Component: (await import("../features/credit/Credits")).Credits }),
  },
  {
    path: "playground",
    lazy: async () => ({
      Component: (await import("../features/playground/Playground")).Playground,
    }),
  },
  {
    path: "webhooks",
    lazy: async () => ({ Component: (await import("../features/webhook/Webhooks")).Webhooks }),
  },
  {
    path: "people",
    lazy: async () => ({ Component: (await import("../features/people/People")).People }),
  },
  {
    path: "audit",
    lazy: async () => ({ Component: (await import("../features/audit/Audit")).Audit }),
  },
  {
    path: "settings",
    lazy: async () => ({ Component: (await import("../features/settings/Settings")).Settings }),
  },
  {
    path: "guides/:name?",
    lazy: async () => ({ Component: (await import("../features/guide/GuidePage")).GuidePage }),
  },
  { path: "*", Component: NotFound },
];

export const router = createBrowserRouter([
  {
    path: "/",
    Component: AppShell,
    children: [{ ErrorBoundary: Broken, children: tabs }],
    HydrateFallback: () => null,
  },
]);
