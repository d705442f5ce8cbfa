/** The rules as a form; what is published applies to the next request. */
import Alert from "@mui/material/Alert";
import Button from "@mui/material/Button";
import Card from "@mui/material/Card";
import CardContent from "@mui/material/CardContent";
import Stack from "@mui/material/Stack";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { type ReactNode, useState } from "react";
import { RefusalContext } from "../../common/fields";
import { useNotice } from "../../common/notice";
import { Refused, useAct } from "../../common/useAct";
import { SetRoutingRulesDocument } from "../../gql/rule";
import { Aliases } from "./Aliases";
import { type Draft, isChanged, ruleInput } from "./draft";
import { Levels } from "./Levels";
import { NamesField } from "./NamesField";
import { StrategyChoice } from "./StrategyChoice";
import type { Rules } from "./useRules";

interface Props {
  rules: Rules;
  onPublished: () => void;
}

export function RulesForm({ rules, onPublished }: Props) {
  const [draft, setDraft] = useState<Draft>(rules.settings);
  const [note, setNote] = useState("");
  const { publish, busy, refusal } = usePublish(rules, onPublished);
  const change = (part: Partial<Draft>) => setDraft({ ...draft, ...part });
  const changed = isChanged(draft, rules.settings);
  return (
    <RefusalContext value={refusal}>
      <Stack spacing={2}>
        <Section title="Strategy">
          <StrategyChoice draft={draft} onChange={change} />
        </Section>
        <Section title="Aliases">
          <Aliases aliases={draft.aliases} onChange={(aliases) => change({ aliases })} />
        </Section>
        <Section title="Fallbacks">
          <NamesField
            label="Fallbacks"
            hint="Tried in this order, right after the chosen model."
            names={draft.fallbacks}
            onChange={(fallbacks) => change({ fallbacks })}
          />
        </Section>
        <Section title="Power levels and limits">
          <Levels draft={draft} onChange={change} />
        </Section>
        <Card
          variant="outlined"
          sx={{ position: "sticky", bottom: 8, p: 2, zIndex: 1, boxShadow: changed ? 6 : 0 }}
        >
          <Stack spacing={1.5}>
            {refusal && (
              <Refusal
                refusal={refusal}
                reload={onPublished}
                force={() => void publish(draft, note, true)}
              />
            )}
            <Stack direction="row" spacing={1.5} useFlexGap sx={{ flexWrap: "wrap" }}>
              <TextField
                size="small"
                label="Why (kept with the version)"
                value={note}
                onChange={(event) => setNote(event.target.value)}
                sx={{ flexGrow: 1, minWidth: 200 }}
              />
              <Button disabled={!changed} onClick={() => setDraft(rules.settings)}>
                Discard
              </Button>
              <Button
                variant="contained"
                disabled={!changed}
                loading={busy}
                onClick={() => void publish(draft, note, false)}
              >
                Update
              </Button>
            </Stack>
          </Stack>
        </Card>
      </Stack>
    </RefusalContext>
  );
}

function usePublish(rules: Props["rules"], onPublished: () => void) {
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refused | null>(null);
  const set = useAct(SetRoutingRulesDocument);
  const notice = useNotice();

  async function publish(draft: Draft, note: string, force: boolean) {
    setBusy(true);
    setRefusal(null);
    try {
      const input = {
        ...ruleInput(draft, rules.settings, rules.decides),
        expectedVersion: force ? null : rules.version,
        note: note.trim() || null,
      };
      const published = await set({ input });
      notice(`Version ${published.rules.version} is in force.`);
      onPublished();
    } catch (error) {
      setRefusal(error instanceof Refused ? error : new Refused({ message: String(error) }));
    } finally {
      setBusy(false);
    }
  }

  return { publish, busy, refusal };
}

interface RefusalProps {
  refusal: Refused;
  reload: () => void;
  force: () => void;
}

function Refusal({ refusal, reload, force }: RefusalProps) {
  if (refusal.code !== "CONFLICT") {
    const where = refusal.field ? `${refusal.field}: ` : "";
    return <Alert severity="error">{where + refusal.message}</Alert>;
  }
  return (
    <Alert
      severity="warning"
      action={
        <Stack direction={{ xs: "column", sm: "row" }}>
          <Button color="inherit" onClick={reload}>
            Load the newest
          </Button>
          <Button color="inherit" onClick={force}>
            Publish mine anyway
          </Button>
        </Stack>
      }
    >
      {refusal.message}
    </Alert>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Card variant="outlined" component="section" aria-label={title} sx={{ overflow: "visible" }}>
      <CardContent>
        <Typography variant="h2" sx={{ mb: 1.5 }}>
          {title}
        </Typography>
        {children}
      </CardContent>
    </Card>
  );
}
