/** One entry of the audit log: who, when, and each field before and after. */
import Button from "@mui/material/Button";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import Stack from "@mui/material/Stack";
import Table from "@mui/material/Table";
import TableBody from "@mui/material/TableBody";
import TableCell from "@mui/material/TableCell";
import TableContainer from "@mui/material/TableContainer";
import TableHead from "@mui/material/TableHead";
import TableRow from "@mui/material/TableRow";
import Typography from "@mui/material/Typography";
import { Facts } from "../../common/Facts";
import { whenPrecisely, words, wordsWithin } from "../../common/format";
import { useNarrow } from "../../common/useNarrow";
import type { AuditRowFragment } from "../../gql/audit";
import { differenceOf, nameOf } from "./difference";

export function EntryDialog({ entry, onClose }: { entry: AuditRowFragment; onClose: () => void }) {
  const { action, objectType, before, after } = entry;
  const fullScreen = useNarrow();
  const name = nameOf(before, after);
  return (
    <Dialog
      open
      onClose={onClose}
      fullWidth
      maxWidth="md"
      {...{ fullScreen }}
      aria-labelledby="audit-entry"
    >
      <DialogTitle id="audit-entry">
        {words(action)}: {wordsWithin(objectType)} {name}
      </DialogTitle>
      <DialogContent dividers>
        <Stack spacing={3}>
          <Facts
            facts={[
              ["Number", String(entry.number)],
              ["When", whenPrecisely(entry.at)],
              ["Who", entry.actor?.name ?? "The system or its operator"],
              ["By key", entry.apiKey?.name ?? "–"],
              ["Request", entry.requestId ?? "–"],
              ["Hash", entry.hash],
            ]}
          />
          <Changes before={before} after={after} />
        </Stack>
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose}>Close</Button>
      </DialogActions>
    </Dialog>
  );
}

function Changes({ before, after }: { before: unknown; after: unknown }) {
  const changes = differenceOf(before, after);
  if (changes.length === 0) {
    return <Typography color="textSecondary">No field is told to have changed.</Typography>;
  }
  return (
    <TableContainer tabIndex={0}>
      <Table size="small" aria-label="What changed">
        <TableHead>
          <TableRow>
            <TableCell>Field</TableCell>
            <TableCell>Before</TableCell>
            <TableCell>After</TableCell>
          </TableRow>
        </TableHead>
        <TableBody>
          {changes.map(({ field, before: was, after: is }) => (
            <TableRow key={field}>
              <TableCell component="th" scope="row" sx={{ fontFamily: "monospace" }}>
                {field}
              </TableCell>
              <TableCell sx={VALUE}>{was ?? "–"}</TableCell>
              <TableCell sx={{ ...VALUE, fontWeight: 600 }}>{is ?? "–"}</TableCell>
            </TableRow>
          ))}
        </TableBody>
      </Table>
    </TableContainer>
  );
}

const VALUE = { wordBreak: "break-word", whiteSpace: "pre-wrap", minWidth: 120 };
