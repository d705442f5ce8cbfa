/** The Settings tab: the viewer's own power level and theme, who they are, and what this installation serves by. */
import Card from "@mui/material/Card";
import CardContent from "@mui/material/CardContent";
import Grid from "@mui/material/Grid";
import Stack from "@mui/material/Stack";
import { useColorScheme } from "@mui/material/styles";
import ToggleButton from "@mui/material/ToggleButton";
import ToggleButtonGroup from "@mui/material/ToggleButtonGroup";
import Typography from "@mui/material/Typography";
import { type ReactNode, useMemo } from "react";
import { useQuery } from "urql";
import { messageOf } from "../../common/client";
import { Facts } from "../../common/Facts";
import { when, words } from "../../common/format";
import { LEVEL_OPTIONS } from "../../common/LevelChip";
import { Page } from "../../common/Page";
import { Loading, Problem } from "../../common/states";
import { useAct } from "../../common/useAct";
import { useOptimistic } from "../../common/useOptimistic";
import { useIsAdmin } from "../../common/viewer";
import {
  type PowerLevel,
  SettingsDocument,
  type SettingsQuery,
  UpdateSettingsDocument,
} from "../../gql/settings";

export function Settings() {
  const variables = { isAdmin: useIsAdmin() };
  const [{ data, error }, refetch] = useQuery({ query: SettingsDocument, variables });
  const refresh = () => refetch({ requestPolicy: "network-only" });
  return (
    <Page title="Settings" about="Your own choices, and what this installation serves by.">
      {error && !data && <Problem message={messageOf(error)} retry={refresh} />}
      {!data && !error && <Loading />}
      {data && (
        <Grid container spacing={2}>
          <Section title="Power level">
            <Level settings={data.viewer.settings} onChange={refresh} />
          </Section>
          <Section title="Theme">
            <Theme />
          </Section>
          <Section title="You">
            <Viewer viewer={data.viewer} />
          </Section>
          {data.configStatus && (
            <Section title="Configuration">
              <Configuration status={data.configStatus} />
            </Section>
          )}
        </Grid>
      )}
    </Page>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Grid size={{ xs: 12, md: 6 }}>
      <Card variant="outlined" component="section" sx={{ height: "100%" }}>
        <CardContent>
          <Stack spacing={1.5} sx={{ alignItems: "flex-start" }}>
            <Typography variant="h2">{title}</Typography>
            {children}
          </Stack>
        </CardContent>
      </Card>
    </Grid>
  );
}

const ABOUT: Record<PowerLevel, string> = {
  ECO: "The cheapest models that can do it.",
  BALANCED: "Good models at a fair price.",
  PRECISION: "The best models, at their price.",
};

interface LevelProps {
  settings: SettingsQuery["viewer"]["settings"];
  onChange: () => void;
}

function Level({ settings, onChange }: LevelProps) {
  const update = useAct(UpdateSettingsDocument);
  const rows = useMemo(() => [settings], [settings]);
  const { shown, change } = useOptimistic(rows, () => "own");
  const current = shown?.[0]?.powerLevel ?? settings.powerLevel;

  function choose(powerLevel: PowerLevel | null) {
    if (powerLevel === null) return;
    const set = () => update({ input: { powerLevel } });
    const said = {
      done: `Your requests now use ${words(powerLevel)}.`,
      failed: `Your requests still use ${words(settings.powerLevel)}.`,
    };
    void change(settings, { powerLevel }, set, said).then(onChange);
  }

  return (
    <>
      <Typography color="textSecondary">
        Applies to “auto” requests that name no level. {ABOUT[current]}
      </Typography>
      <ToggleButtonGroup
        exclusive
        size="small"
        color="primary"
        aria-label="Power level"
        value={current}
        onChange={(_, level: PowerLevel | null) => choose(level)}
      >
        {LEVEL_OPTIONS.map(([level, label]) => (
          <ToggleButton key={level} value={level}>
            {label}
          </ToggleButton>
        ))}
      </ToggleButtonGroup>
    </>
  );
}

function Theme() {
  const { mode, setMode } = useColorScheme();
  return (
    <>
      <Typography color="textSecondary">Kept in this browser.</Typography>
      <ToggleButtonGroup
        exclusive
        size="small"
        color="primary"
        aria-label="Theme"
        value={mode}
        onChange={(_, chosen: "light" | "dark" | "system" | null) => chosen && setMode(chosen)}
      >
        <ToggleButton value="light">Light</ToggleButton>
        <ToggleButton value="dark">Dark</ToggleButton>
        <ToggleButton value="system">As the system</ToggleButton>
      </ToggleButtonGroup>
    </>
  );
}

function Viewer({ viewer }: { viewer: SettingsQuery["viewer"] }) {
  return (
    <Facts
      columns={1}
      facts={[
        ["Name", viewer.user.name],
        ["E-mail", viewer.user.email ?? "–"],
        ["Role", words(viewer.role)],
        ["Organisation", viewer.organization?.name ?? "–"],
        ["This sign-in may", viewer.scopes.map(words).join(", ")],
        ["Since", when(viewer.user.createdAt)],
      ]}
    />
  );
}

function Configuration({ status }: { status: NonNullable<SettingsQuery["configStatus"]> }) {
  return (
    <Facts
      columns={1}
      facts={[
        ["Newest change", `number ${status.latestNumber}`],
        [
          "Served by this process",
          `number ${status.appliedNumber}, since ${when(status.loadedAt)}`,
        ],
        ["Applied", `on ${status.applied} of ${status.running} processes`],
      ]}
    />
  );
}
