/** The Playground tab: send a prompt by one route or two, and see who answers, for how much, and why. */
import Button from "@mui/material/Button";
import Card from "@mui/material/Card";
import CardContent from "@mui/material/CardContent";
import FormControlLabel from "@mui/material/FormControlLabel";
import Grid from "@mui/material/Grid";
import Stack from "@mui/material/Stack";
import Switch from "@mui/material/Switch";
import TextField from "@mui/material/TextField";
import { mdiSend } from "@mdi/js";
import { type FormEvent, type KeyboardEvent, useState } from "react";
import { Icon } from "../../common/Icon";
import { Page } from "../../common/Page";
import { AnswerCard } from "./AnswerCard";
import { useChat } from "./useChat";

export function Playground() {
  const [text, setText] = useState("");
  const [system, setSystem] = useState("");
  const [maxTokens, setMaxTokens] = useState("");
  const [models, setModels] = useState<[string, string]>(["auto", "auto:eco"]);
  const [compare, setCompare] = useState(false);
  const first = useChat();
  const second = useChat();

  function send() {
    const limit = Number(maxTokens) > 0 ? Number(maxTokens) : null;
    const prompt = { system, text, maxTokens: limit };
    void first.send({ ...prompt, model: models[0].trim() });
    if (compare) void second.send({ ...prompt, model: models[1].trim() });
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    send();
  }

  function sendOnEnter(event: KeyboardEvent) {
    const isShortcut = event.key === "Enter" && (event.ctrlKey || event.metaKey);
    if (isShortcut && text.trim()) send();
  }

  return (
    <Page
      title="Playground"
      about="Send a prompt as an application would. It is metered like any other."
    >
      <Card variant="outlined">
        <CardContent>
          <Stack component="form" spacing={2} onSubmit={submit}>
            <TextField
              label="Prompt"
              required
              multiline
              minRows={3}
              maxRows={12}
              value={text}
              onChange={(event) => setText(event.target.value)}
              onKeyDown={sendOnEnter}
              helperText="Ctrl + Enter sends."
            />
            <Stack direction={{ xs: "column", sm: "row" }} spacing={2}>
              <TextField
                size="small"
                label="System prompt (optional)"
                value={system}
                onChange={(event) => setSystem(event.target.value)}
                sx={{ flexGrow: 1 }}
              />
              <TextField
                size="small"
                type="number"
                label="Longest answer, tokens"
                value={maxTokens}
                onChange={(event) => setMaxTokens(event.target.value)}
              />
              <FormControlLabel
                label="Compare two"
                control={<Switch checked={compare} onChange={(_, on) => setCompare(on)} />}
              />
              <Button
                type="submit"
                variant="contained"
                disabled={!text.trim()}
                startIcon={<Icon path={mdiSend} />}
              >
                Send
              </Button>
            </Stack>
          </Stack>
        </CardContent>
      </Card>
      <Grid container spacing={2}>
        <Grid size={{ xs: 12, lg: compare ? 6 : 12 }}>
          <AnswerCard
            label="First answer"
            model={models[0]}
            setModel={(model) => setModels([model, models[1]])}
            answer={first.answer}
            stop={first.stop}
          />
        </Grid>
        {compare && (
          <Grid size={{ xs: 12, lg: 6 }}>
            <AnswerCard
              label="Second answer"
              model={models[1]}
              setModel={(model) => setModels([models[0], model])}
              answer={second.answer}
              stop={second.stop}
            />
          </Grid>
        )}
      </Grid>
    </Page>
  );
}
