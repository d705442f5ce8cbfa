/** Where a request would go by the published rules, answered as you type; nothing is sent upstream. */
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
import { useDebounced } from "../../common/useDebounced";
import { type Capability, type ExplainRouteInput, ExplainRouteDocument } from "../../gql/rule";
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

/** `version` is that of the rules: a new one is asked anew. */
export function Explain({ version }: { version: number }) {
  const [asked, setAsked] = useState(FIRST);
  const settled = useDebounced(asked, 200);
  const input = useMemo(() => inputOf(settled), [settled]);
  const pause = input.model === "";
  // A new context makes the query run anew.
  const context = useMemo(() => ({ requestPolicy: "network-only" as const, version }), [version]);
  const [{ data, error, fetching }] = useQuery({
    query: ExplainRouteDocument,
    variables: { input },
    pause,
    context,
  });
  const decision = data?.explainRoute;
  return (
    <Card variant="outlined" component="section" aria-label="Explain" sx={{ position: "relative" }}>
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
              Where a request would go by the rules in force. Nothing is sent.
            </Typography>
          </div>
          <Request asked={asked} onChange={(part) => setAsked({ ...asked, ...part })} />
          {error && <Problem message={messageOf(error)} />}
          {decision && !error && <DecisionView decision={decision} />}
        </Stack>
      </CardContent>
    </Card>
  );
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
      <Stack direction="row" spacing={1.5}>
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
          sx={{ width: 140 }}
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
