/** An answer as it comes, and afterwards who gave it, what it cost and why them. */
import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Card from "@mui/material/Card";
import CardContent from "@mui/material/CardContent";
import Chip from "@mui/material/Chip";
import LinearProgress from "@mui/material/LinearProgress";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import { mdiStop } from "@mdi/js";
import { duration, whole } from "../../common/format";
import { GuideLink } from "../../common/GuideLink";
import { Icon } from "../../common/Icon";
import { ModelField } from "../../common/ModelField";
import { dollars } from "../../common/money";
import { DecisionView } from "../decision/DecisionView";
import type { Answer } from "./useChat";
import { type RequestRecord, useRecord } from "./useRecord";

interface Props {
  label: string;
  model: string;
  setModel: (model: string) => void;
  answer: Answer;
  stop: () => void;
}

export function AnswerCard({ label, model, setModel, answer, stop }: Props) {
  const { text, served, state, problem } = answer;
  const answering = state === "answering";
  const record = useRecord(answering ? null : (served?.requestId ?? null));
  return (
    <Card variant="outlined" component="section" aria-label={label} sx={{ height: "100%" }}>
      {answering && <LinearProgress aria-label="Answering" />}
      <CardContent>
        <Stack spacing={2}>
          <ModelField
            label="Model"
            hint="auto, auto:eco, auto:precision, an alias or a model"
            value={model}
            onChange={setModel}
          />
          <Box
            role="log"
            aria-live="polite"
            aria-busy={answering}
            aria-label="Answer"
            tabIndex={0}
            sx={{ minHeight: 72, whiteSpace: "pre-wrap", wordBreak: "break-word" }}
          >
            {text || <Typography color="textSecondary">The answer appears here.</Typography>}
          </Box>
          {answering && (
            <Box>
              <Button color="error" startIcon={<Icon path={mdiStop} />} onClick={stop}>
                Stop
              </Button>
            </Box>
          )}
          {state === "stopped" && <Alert severity="info">Stopped. What came is recorded.</Alert>}
          {problem && (
            <Alert
              severity="error"
              action={
                <GuideLink to={`troubleshooting#${problem.code ?? "error-codes"}`}>
                  What it means
                </GuideLink>
              }
            >
              {problem.message}
            </Alert>
          )}
          {served?.model && (
            <Chip
              sx={{ alignSelf: "flex-start" }}
              color="primary"
              variant="outlined"
              label={`Served by ${served.provider}/${served.model}`}
            />
          )}
          {record && <Outcome record={record} />}
        </Stack>
      </CardContent>
    </Card>
  );
}

function Outcome({ record }: { record: RequestRecord }) {
  const { cost, inputTokens, outputTokens, latencyMs, firstTokenMs, attemptCount } = record;
  const facts = [
    cost === null ? "Cost unknown" : `Cost ${dollars(cost)}`,
    `Tokens ${whole(inputTokens)} in, ${whole(outputTokens)} out`,
    `${duration(latencyMs)}, first token ${duration(firstTokenMs)}`,
    attemptCount === 1 ? "1 call" : `${attemptCount} calls`,
  ];
  return (
    <Stack spacing={2} aria-label="Outcome" component="section">
      <Stack direction="row" spacing={1} useFlexGap sx={{ flexWrap: "wrap" }}>
        {facts.map((each) => (
          <Chip key={each} size="small" label={each} />
        ))}
      </Stack>
      {record.decision && <DecisionView decision={record.decision} />}
    </Stack>
  );
}
