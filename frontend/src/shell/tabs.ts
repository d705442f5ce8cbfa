/** The app's tabs, in the order of the navigation. */
import {
  mdiAccountGroupOutline,
  mdiBookOpenVariantOutline,
  mdiChartLine,
  mdiClipboardTextClockOutline,
  mdiCogOutline,
  mdiConsoleLine,
  mdiCubeOutline,
  mdiHomeOutline,
  mdiKeyChainVariant,
  mdiKeyOutline,
  mdiServerNetwork,
  mdiSourceBranch,
  mdiWalletOutline,
  mdiWebhook,
} from "@mdi/js";

export interface Tab {
  path: string;
  label: string;
  icon: string;
  /** Of administrators alone. */
  admin?: boolean;
}

export const TABS: readonly Tab[] = [
  { path: "/", label: "Home", icon: mdiHomeOutline },
  { path: "/providers", label: "Providers", icon: mdiServerNetwork },
  { path: "/models", label: "Models", icon: mdiCubeOutline },
  { path: "/rules", label: "Routing Rules", icon: mdiSourceBranch },
  { path: "/usage", label: "Usage Analytics", icon: mdiChartLine },
  { path: "/byok", label: "BYOK Settings", icon: mdiKeyChainVariant },
  { path: "/keys", label: "API Keys", icon: mdiKeyOutline },
  { path: "/credits", label: "Credits", icon: mdiWalletOutline },
  { path: "/playground", label: "Playground", icon: mdiConsoleLine },
  { path: "/webhooks", label: "Webhooks", icon: mdiWebhook },
  { path: "/people", label: "People", icon: mdiAccountGroupOutline },
  { path: "/audit", label: "Audit", icon: mdiClipboardTextClockOutline, admin: true },
  { path: "/settings", label: "Settings", icon: mdiCogOutline },
  { path: "/guides", label: "Guides", icon: mdiBookOpenVariantOutline },
];
