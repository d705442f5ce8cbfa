/** Where a request would go by the rules in force or those being written, answered as you type. */
import Box from "@mui/material/Box";
import Card from "@mui/material/Card";
import CardContent from "@mui/material/CardContent";
import Checkbox from "@mui/material/Checkbox";
import FormControlLabel from "@mui/material/FormControlLabel";
import LinearProgress from "@mui/material/LinearProgress";
import Stack from "@mui/material/Stack";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { useMemo, useState } from "react";
import { useQuery } from "urql";
import { messageOf } from "../../common/client";
import { ModelField } from "../../common/ModelField";
import { Problem } from "../../common/states";
import { Toggle } from "../../common/Toggle";
import { useDebounced } from "../../common/useDebounced";
import {
  type Capability,
  ExplainRouteDocument,
  type ExplainRouteInput,
  type RoutingRulesInput,
  type RuleScope,
} from "../../gql/rule";
import { DecisionView } from "../decision/DecisionView";

const NEEDS: readonly (readonly [Capability, string])[] = [
  ["TOOLS", "Tools"],
  ["JSON_SCHEMA", "JSON schema"],
  ["VISION", "Images"],
];

interface Asked {
  model: string;
  prompt: string;
  maxTokens: string;
  stream: boolean;
  needs: readonly Capability[];
}

const FIRST: Asked = {
  model: "auto",
  prompt: "Summarise this article in three sentences.",
  maxTokens: "",
  stream: true,
  needs: [],
};

/** By which rules: those written in the form, the stored draft, or those in force. */
type By = "written" | "draft" | "live";

interface Props {
  /** Of the rules in force: a new one is asked anew. */
  version: number;
  scope: RuleScope;
  /** What the form says, as JSON; `null`: nothing that is not in force. */
  written: string;
  /** The revision of the stored draft, null without one. */
  draft: number | null;
}

export function Explain({ version, scope, written, draft }: Props) {
  const [asked, setAsked] = useState(FIRST);
  const [chosen, setChosen] = useState<By | null>(null);
  const options = optionsOf(written, draft);
  const by = options.find(([option]) => option === chosen)?.[0] ?? options[0]![0];
  const rules = useDebounced(by === "written" ? written : "null", 400);
  const settled = useDebounced(asked, 200);
  const input = useMemo(
    () => ({ ...inputOf(settled), proposed: proposedOf(by, scope, rules) }),
    [settled, by, scope, rules],
  );
  const pause = input.model === "" || (by === "written" && rules === "null");
  // A new context makes the query run anew.
  const context = useMemo(
    () => ({ requestPolicy: "network-only" as const, version, draft }),
    [version, draft],
  );
  const [{ data, error, fetching }] = useQuery({
    query: ExplainRouteDocument,
    variables: { input },
    pause,
    context,
  });
  const decision = data?.explainRoute;
  return (
    <Card variant="outlined" component="section" aria-label="Explain" sx={BESIDE}>
      {fetching && (
        <LinearProgress
          aria-label="Asking"
          sx={{ position: "absolute", top: 0, left: 0, right: 0 }}
        />
      )}
      <CardContent>
        <Stack spacing={2}>
          <div>
            <Typography variant="h2">Explain</Typography>
            <Typography color="textSecondary" variant="body2">
              Where a request would go by {ABOUT[by]}. Nothing is sent.
            </Typography>
          </div>
          {options.length > 1 && (
            <Toggle label="Explained by" value={by} options={options} onChange={setChosen} />
          )}
          <Request asked={asked} onChange={(part) => setAsked({ ...asked, ...part })} />
          {error && <Problem message={messageOf(error)} />}
          {decision && !error && <DecisionView decision={decision} />}
        </Stack>
      </CardContent>
    </Card>
  );
}

/** In sight while the form beside it is written, where there is room. */
const BESIDE = {
  position: { xs: "relative", lg: "sticky" },
  top: { lg: 80 },
  maxHeight: { lg: "calc(100dvh - 96px)" },
  overflowY: { lg: "auto" },
} as const;

const ABOUT: Record<By, string> = {
  written: "the rules as you have written them, before they are in force",
  draft: "the saved draft, before it is in force",
  live: "the rules in force",
};

/** The newest first; what is in force is always there. */
export function optionsOf(written: string, draft: number | null) {
  return [
    ...(written === "null" ? [] : [["written", "With your changes"] as const]),
    ...(draft === null ? [] : [["draft", "With the draft"] as const]),
    ["live", "As in force"] as const,
  ] satisfies readonly (readonly [By, string])[];
}

function proposedOf(by: By, scope: RuleScope, rules: string) {
  if (by === "live") return null;
  return { scope, rules: by === "draft" ? null : (JSON.parse(rules) as RoutingRulesInput | null) };
}

interface RequestProps {
  asked: Asked;
  onChange: (part: Partial<Asked>) => void;
}

function Request({ asked, onChange }: RequestProps) {
  const toggle = (need: Capability, on: boolean) => {
    const others = asked.needs.filter((each) => each !== need);
    onChange({ needs: on ? [...others, need] : others });
  };
  return (
    <Stack spacing={1.5}>
      <Stack direction={{ xs: "column", sm: "row" }} spacing={1.5}>
        <Box sx={{ flexGrow: 1 }}>
          <ModelField
            label="Model"
            hint="auto, auto:eco, an alias or a model"
            value={asked.model}
            onChange={(model) => onChange({ model })}
          />
        </Box>
        <TextField
          size="small"
          label="Longest answer"
          type="number"
          value={asked.maxTokens}
          onChange={(event) => onChange({ maxTokens: event.target.value })}
          helperText="Tokens"
          sx={{ width: { sm: 150 } }}
        />
      </Stack>
      <TextField
        size="small"
        label="Prompt"
        multiline
        maxRows={5}
        value={asked.prompt}
        onChange={(event) => onChange({ prompt: event.target.value })}
      />
      <div>
        <FormControlLabel
          label="Streamed"
          control={
            <Checkbox
              size="small"
              checked={asked.stream}
              onChange={(_, stream) => onChange({ stream })}
            />
          }
        />
        {NEEDS.map(([need, label]) => (
          <FormControlLabel
            key={need}
            label={label}
            control={
              <Checkbox
                size="small"
                checked={asked.needs.includes(need)}
                onChange={(_, checked) => toggle(need, checked)}
              />
            }
          />
        ))}
      </div>
    </Stack>
  );
}

function inputOf({ model, prompt, maxTokens, stream, needs }: Asked): ExplainRouteInput {
  return {
    model: model.trim(),
    messages: [{ role: "user", content: prompt }],
    maxTokens: Number(maxTokens) > 0 ? Number(maxTokens) : null,
    stream,
    needs: [...needs],
    everyCandidate: true,
  };
}
