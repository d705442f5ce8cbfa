/** The saved draft: what it would change, and whether it is published, taken up again or thrown away. */
import Alert from "@mui/material/Alert";
import Button from "@mui/material/Button";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import Stack from "@mui/material/Stack";
import { useState } from "react";
import { useQuery } from "urql";
import { ConfirmDialog } from "../../common/ConfirmDialog";
import { ago } from "../../common/format";
import { useNotice } from "../../common/notice";
import { useAct } from "../../common/useAct";
import {
  DiscardRoutingDraftDocument,
  PublishRoutingRulesDocument,
  type RuleScope,
  ValidateRulesDocument,
} from "../../gql/rule";
import { Differences } from "./Differences";
import { Findings } from "./Findings";
import type { Stored } from "./useRules";

interface Props {
  scope: RuleScope;
  version: number;
  draft: Stored;
  onEdit: () => void;
  onChange: () => void;
}

export function DraftBar({ scope, version, draft, onEdit, onChange }: Props) {
  const [open, setOpen] = useState<"review" | "discard" | null>(null);
  const discard = useAct(DiscardRoutingDraftDocument);
  const notice = useNotice();
  const by = draft.author ? ` by ${draft.author.name}` : "";
  return (
    <>
      <Alert
        severity={draft.isStale ? "warning" : "info"}
        action={
          <Stack direction={{ xs: "column", sm: "row" }}>
            <Button color="inherit" onClick={() => setOpen("review")}>
              Review
            </Button>
            <Button color="inherit" onClick={onEdit}>
              Edit
            </Button>
            <Button color="inherit" onClick={() => setOpen("discard")}>
              Discard draft
            </Button>
          </Stack>
        }
      >
        A draft on version {draft.baseVersion}, saved {ago(draft.updatedAt)}
        {by}
        {draft.note && `: “${draft.note}”`}. Nothing of it is in force.
        {draft.isStale && ` Version ${version} has been published since: edit it and save it anew.`}
      </Alert>
      {open === "review" && (
        <Review
          {...{ scope, draft, version }}
          onClose={() => setOpen(null)}
          onPublished={onChange}
        />
      )}
      {open === "discard" && (
        <ConfirmDialog
          title="Discard the draft?"
          action="Discard"
          onClose={() => setOpen(null)}
          onConfirm={async () => {
            await discard({ input: { scope, expectedRevision: draft.revision } });
            notice("The draft was discarded.");
            onChange();
          }}
        >
          What was saved {ago(draft.updatedAt)}
          {by} is lost. What is in force stays.
        </ConfirmDialog>
      )}
    </>
  );
}

interface ReviewProps {
  scope: RuleScope;
  version: number;
  draft: Stored;
  onClose: () => void;
  onPublished: () => void;
}

function Review({ scope, draft, version, onClose, onPublished }: ReviewProps) {
  const [{ data }] = useQuery({
    query: ValidateRulesDocument,
    variables: { input: { scope, rules: null } },
    requestPolicy: "network-only",
  });
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const send = useAct(PublishRoutingRulesDocument);
  const notice = useNotice();
  const validation = data?.validateRoutingRules;

  async function publish() {
    setBusy(true);
    try {
      const input = { scope, expectedVersion: version, expectedRevision: draft.revision };
      const { rules } = await send({ input: { ...input, note: draft.note } });
      notice(`Version ${rules.version} is in force.`);
      onClose();
      onPublished();
    } catch (error) {
      setProblem((error as Error).message);
      setBusy(false);
    }
  }

  return (
    <Dialog open onClose={onClose} fullWidth maxWidth="md" aria-labelledby="draft-review">
      <DialogTitle id="draft-review">What the draft would change</DialogTitle>
      <DialogContent dividers>
        <Stack spacing={2}>
          {problem && <Alert severity="error">{problem}</Alert>}
          <Findings validation={validation} />
          <Differences scope={scope} version={null} />
        </Stack>
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose}>Close</Button>
        <Button
          variant="contained"
          loading={busy}
          disabled={!validation?.isPublishable || draft.isStale}
          onClick={() => void publish()}
        >
          Publish
        </Button>
      </DialogActions>
    </Dialog>
  );
}
