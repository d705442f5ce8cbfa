/** The rules as a form; what is published applies to the next request. */
import Alert from "@mui/material/Alert";
import Button from "@mui/material/Button";
import Card from "@mui/material/Card";
import CardContent from "@mui/material/CardContent";
import Stack from "@mui/material/Stack";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { type ReactNode, useEffect, useState } from "react";
import { RefusalContext } from "../../common/fields";
import { useNotice } from "../../common/notice";
import { Refused, useAct } from "../../common/useAct";
import {
  type RoutingRulesInput,
  type RuleScope,
  SaveRoutingDraftDocument,
  SetRoutingRulesDocument,
} from "../../gql/rule";
import { Aliases } from "./Aliases";
import { decidable, type Draft, isChanged, ruleInput } from "./draft";
import { Findings } from "./Findings";
import { Levels } from "./Levels";
import { NamesField } from "./NamesField";
import { StrategyChoice } from "./StrategyChoice";
import { useFindings } from "./useFindings";
import type { Rules, Stored } from "./useRules";

interface Props {
  rules: Rules;
  scope: RuleScope;
  /** The draft that is taken up again, in place of what is in force. */
  edited: Stored | null;
  /** Told of what the form says while that is not in force; null: what is. */
  onPropose: (rules: RoutingRulesInput | null) => void;
  onStored: () => void;
}

export function RulesForm({ rules, scope, edited, onPropose, onStored }: Props) {
  const [draft, setDraft] = useState<Draft>(edited?.settings ?? rules.settings);
  const [note, setNote] = useState(edited?.note ?? "");
  const [round, setRound] = useState(0);
  const { publish, save, busy, refusal } = useStore({ rules, scope, onStored });
  const change = (part: Partial<Draft>) => setDraft({ ...draft, ...part });
  const changed = edited !== null || isChanged(draft, rules.settings);
  const input = ruleInput(draft, rules.settings, edited?.decides ?? rules.decides);
  const validation = useFindings(scope, changed ? input : null);
  useEffect(() => onPropose(changed ? input : null));
  return (
    <RefusalContext value={refusal}>
      <Stack spacing={2}>
        <Fields key={round} draft={draft} change={change} scope={scope} />
        <Card
          variant="outlined"
          sx={{
            p: 2,
            ...(changed && { position: "sticky", bottom: 8, zIndex: 1, boxShadow: 6 }),
          }}
        >
          <Stack spacing={1.5}>
            <Findings validation={validation} />
            {refusal && (
              <Refusal
                refusal={refusal}
                reload={onStored}
                force={() => void publish(input, note, true)}
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
              <Button
                disabled={!changed}
                onClick={() => {
                  if (edited) return onStored();
                  setDraft(rules.settings);
                  setRound(round + 1);
                }}
              >
                Discard
              </Button>
              <Button
                variant="outlined"
                disabled={!changed}
                loading={busy === "save"}
                onClick={() => void save(input, note)}
              >
                Save draft
              </Button>
              <Button
                variant="contained"
                disabled={!changed || validation?.isPublishable === false}
                loading={busy === "publish"}
                onClick={() => void publish(input, note, false)}
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

interface FieldsProps {
  draft: Draft;
  change: (part: Partial<Draft>) => void;
  scope: RuleScope;
}

/** What a scope may decide. */
function Fields({ draft, change, scope }: FieldsProps) {
  return (
    <>
      <Section title="Strategy">
        <StrategyChoice draft={draft} onChange={change} />
      </Section>
      {decidable(scope, "aliases") && (
        <Section title="Aliases">
          <Aliases aliases={draft.aliases} onChange={(aliases) => change({ aliases })} />
        </Section>
      )}
      {decidable(scope, "fallbacks") && (
        <Section title="Fallbacks">
          <NamesField
            label="Fallbacks"
            hint="Tried in this order, right after the chosen model."
            names={draft.fallbacks}
            onChange={(fallbacks) => change({ fallbacks })}
          />
        </Section>
      )}
      <Section title={scope === "USER" ? "Limits" : "Power levels and limits"}>
        <Levels draft={draft} onChange={change} scope={scope} />
      </Section>
    </>
  );
}

interface Store {
  rules: Rules;
  scope: RuleScope;
  onStored: () => void;
}

function useStore({ rules, scope, onStored }: Store) {
  const [busy, setBusy] = useState<"save" | "publish" | null>(null);
  const [refusal, setRefusal] = useState<Refused | null>(null);
  const set = useAct(SetRoutingRulesDocument);
  const keep = useAct(SaveRoutingDraftDocument);
  const notice = useNotice();

  async function attempt(kind: "save" | "publish", act: () => Promise<string>) {
    setBusy(kind);
    setRefusal(null);
    try {
      notice(await act());
      onStored();
    } catch (error) {
      setRefusal(error instanceof Refused ? error : new Refused({ message: String(error) }));
    } finally {
      setBusy(null);
    }
  }

  const publish = (input: RoutingRulesInput, note: string, force: boolean) =>
    attempt("publish", async () => {
      const expectedVersion = force ? null : rules.version;
      const told = { scope, expectedVersion, note: note.trim() || null };
      const published = await set({ input: { ...input, ...told } });
      return `Version ${published.rules.version} is in force.`;
    });
  const save = (input: RoutingRulesInput, note: string) =>
    attempt("save", async () => {
      const expectedRevision = rules.draft?.revision ?? null;
      const told = { scope, expectedVersion: rules.version, expectedRevision };
      await keep({ input: { ...input, ...told, note: note.trim() || null } });
      return "The draft is saved; nothing of it is in force yet.";
    });

  return { publish, save, busy, refusal };
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
