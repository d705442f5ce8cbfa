/** The Audit tab: every change, who made it, and what was before and after. */
import Button from "@mui/material/Button";
import Typography from "@mui/material/Typography";
import { mdiClipboardTextClockOutline } from "@mdi/js";
import { useState } from "react";
import { useQuery } from "urql";
import { messageOf } from "../../common/client";
import { ExportButton } from "../../common/ExportButton";
import { when, words, wordsWithin } from "../../common/format";
import { type Column, ListTable } from "../../common/ListTable";
import { Page } from "../../common/Page";
import { Pager } from "../../common/Pager";
import { Empty } from "../../common/states";
import { useKeyset } from "../../common/useKeyset";
import { AuditExportDocument, AuditLogDocument, type AuditRowFragment } from "../../gql/audit";
import { differenceOf, nameOf } from "./difference";
import { EntryDialog } from "./EntryDialog";
import { ALL, filterOf, Narrow } from "./Narrow";

const PAGE = 50;
const TOLD = 3;

export function Audit() {
  const [narrowing, setNarrowing] = useState(ALL);
  const keyset = useKeyset(PAGE);
  const filter = filterOf(narrowing);
  const variables = { filter, ...keyset.position };
  const [{ data, error }, refetch] = useQuery({ query: AuditLogDocument, variables });
  const [open, setOpen] = useState<AuditRowFragment | null>(null);
  const connection = data?.auditLog;
  return (
    <Page
      title="Audit"
      about="Every change, written in its own transaction and never altered; each entry holds the hash of the one before."
      actions={
        <ExportButton
          query={AuditExportDocument}
          variables={{ filter }}
          urlOf={({ auditExport }) => auditExport.url}
        />
      }
    >
      <Narrow
        value={narrowing}
        onChange={(value) => {
          setNarrowing(value);
          keyset.restart();
        }}
      />
      <ListTable
        label="Audit log"
        columns={columnsOf(setOpen)}
        rows={connection?.nodes}
        keyOf={({ id }) => id}
        problem={error && !connection ? messageOf(error) : null}
        retry={() => refetch({ requestPolicy: "network-only" })}
        empty={
          <Empty icon={mdiClipboardTextClockOutline} title="Nothing matches">
            Take a filter away, or choose a longer time.
          </Empty>
        }
        footer={
          <Pager
            page={connection?.pageInfo}
            keyset={keyset}
            total={connection?.totalCount}
            noun="entries"
          />
        }
      />
      {open && <EntryDialog entry={open} onClose={() => setOpen(null)} />}
    </Page>
  );
}

function columnsOf(open: (entry: AuditRowFragment) => void): Column<AuditRowFragment>[] {
  return [
    {
      label: "When",
      render: ({ at }) => <span style={{ whiteSpace: "nowrap" }}>{when(at)}</span>,
    },
    { label: "Who", render: ({ actor }) => actor?.name ?? "The system" },
    { label: "What", render: (entry) => <What entry={entry} /> },
    { label: "Changed", minor: true, render: fields },
    {
      label: "Actions",
      actions: true,
      render: (entry) => (
        <Button
          size="small"
          aria-label={`Details of entry ${entry.number}`}
          onClick={() => open(entry)}
        >
          Details
        </Button>
      ),
    },
  ];
}

function What({ entry: { action, objectType, before, after } }: { entry: AuditRowFragment }) {
  return (
    <>
      {words(action)} {wordsWithin(objectType)}{" "}
      <Typography component="span" sx={{ fontWeight: 600 }}>
        {nameOf(before, after)}
      </Typography>
    </>
  );
}

/** Of what was there before and is still: all else says nothing that its name does not. */
function fields({ before, after }: AuditRowFragment): string {
  if (before === null || after === null) return "–";
  const changed = differenceOf(before, after).map(({ field }) => field);
  const more = changed.length - TOLD;
  return changed.slice(0, TOLD).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
