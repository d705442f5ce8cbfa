/** What rules would change, field by field, with the scope each value comes from. */
import Table from "@mui/material/Table";
import TableBody from "@mui/material/TableBody";
import TableCell from "@mui/material/TableCell";
import TableContainer from "@mui/material/TableContainer";
import TableHead from "@mui/material/TableHead";
import TableRow from "@mui/material/TableRow";
import Typography from "@mui/material/Typography";
import { useQuery } from "urql";
import { messageOf } from "../../common/client";
import { words } from "../../common/format";
import { Loading, Problem } from "../../common/states";
import { RulesDiffDocument, type RulesDiffQuery, type RuleScope } from "../../gql/rule";
import { valueText } from "./value";

type Change = RulesDiffQuery["routingRulesDiff"]["changes"][number];

interface Props {
  scope: RuleScope;
  /** Null: the draft. */
  version: number | null;
}

/** Against what is in force. */
export function Differences({ scope, version }: Props) {
  const [{ data, error }] = useQuery({
    query: RulesDiffDocument,
    variables: { scope, version, against: null },
    requestPolicy: "network-only",
  });
  if (error) return <Problem message={messageOf(error)} />;
  if (!data) return <Loading rows={3} label="Loading differences" />;
  const { changes, total } = data.routingRulesDiff;
  if (total === 0) return <Typography>It says the same as what is in force.</Typography>;
  return (
    <TableContainer tabIndex={0}>
      <Table size="small" aria-label="Differences">
        <TableHead>
          <TableRow>
            <TableCell>What</TableCell>
            <TableCell>In force</TableCell>
            <TableCell>Then</TableCell>
          </TableRow>
        </TableHead>
        <TableBody>
          {changes.map((each) => (
            <TableRow key={`${each.field} ${each.alias}`}>
              <TableCell component="th" scope="row">
                {each.alias ? `Alias ${each.alias}` : words(each.field)}
              </TableCell>
              <Value value={each.old} origin={each.oldOrigin} />
              <Value value={each.new} origin={each.newOrigin} />
            </TableRow>
          ))}
        </TableBody>
      </Table>
      {total > changes.length && (
        <Typography variant="body2" color="textSecondary" sx={{ p: 1 }}>
          and {total - changes.length} more
        </Typography>
      )}
    </TableContainer>
  );
}

function Value({ value, origin }: { value: unknown; origin: Change["oldOrigin"] }) {
  const { scope, version } = origin;
  const from = scope ? `${words(scope)} rules${version ? ` v${version}` : ""}` : "default";
  return (
    <TableCell sx={{ wordBreak: "break-word", whiteSpace: "pre-line" }}>
      {valueText(value)}
      <Typography variant="caption" color="textSecondary" sx={{ display: "block" }}>
        {from}
      </Typography>
    </TableCell>
  );
}
