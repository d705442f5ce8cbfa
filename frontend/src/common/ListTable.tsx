/** A list as a table, and as cards on a phone; with its loading, empty and error states and its pages. */
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Card from "@mui/material/Card";
import MenuItem from "@mui/material/MenuItem";
import Table from "@mui/material/Table";
import TableBody from "@mui/material/TableBody";
import TableCell from "@mui/material/TableCell";
import TableContainer from "@mui/material/TableContainer";
import TableHead from "@mui/material/TableHead";
import TableRow from "@mui/material/TableRow";
import TableSortLabel from "@mui/material/TableSortLabel";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import type { ReactNode } from "react";
import { Loading, Problem } from "./states";
import { useNarrow } from "./useNarrow";

export interface Column<T> {
  label: string;
  render: (row: T) => ReactNode;
  numeric?: boolean;
  /** On one line. */
  unbroken?: boolean;
  /** A column of buttons: its label is for screen readers only. */
  actions?: boolean;
  /** Left out on a phone. */
  minor?: boolean;
  /** The server's name for the order by this column. */
  sort?: string;
}

export interface Order {
  field: string;
  descending: boolean;
}

interface Props<T> {
  label: string;
  columns: readonly Column<T>[];
  rows: readonly T[] | undefined;
  keyOf: (row: T) => string;
  problem?: string | null;
  retry?: () => void;
  empty: ReactNode;
  footer?: ReactNode;
  order?: Order;
  onOrder?: (order: Order) => void;
}

export function ListTable<T>(props: Props<T>) {
  const { rows, problem, retry, empty, footer, label } = props;
  const narrow = useNarrow();
  return (
    <Card variant="outlined">
      {problem && <Problem message={problem} retry={retry} />}
      {!rows && !problem && <Loading label={`Loading ${label.toLowerCase()}`} />}
      {rows?.length === 0 && empty}
      {narrow && rows && rows.length > 1 && <OrderChoice {...props} />}
      {rows &&
        rows.length > 0 &&
        (narrow ? <Cards {...props} rows={rows} /> : <Rows {...props} rows={rows} />)}
      {footer}
    </Card>
  );
}

type Filled<T> = Props<T> & { rows: readonly T[] };

function Rows<T>({ columns, rows, keyOf, label, order, onOrder }: Filled<T>) {
  return (
    // What is for screen readers alone is placed within it, and so cannot widen the page.
    <TableContainer tabIndex={0} sx={{ position: "relative" }}>
      <Table size="small" aria-label={label}>
        <TableHead>
          <TableRow>
            {columns.map((each) => (
              <TableCell
                key={each.label}
                align={alignOf(each)}
                sortDirection={each.sort === order?.field && directionOf(order)}
                sx={{ whiteSpace: "nowrap" }}
              >
                <Heading column={each} order={order} onOrder={onOrder} />
              </TableCell>
            ))}
          </TableRow>
        </TableHead>
        <TableBody>
          {rows.map((row) => (
            <TableRow key={keyOf(row)} hover>
              {columns.map((each, n) => (
                <TableCell key={each.label} align={alignOf(each)} sx={cellStyle(each, n === 0)}>
                  {each.render(row)}
                </TableCell>
              ))}
            </TableRow>
          ))}
        </TableBody>
      </Table>
    </TableContainer>
  );
}

/** What the headings do where there is room for them. */
function OrderChoice<T>({ columns, order, onOrder }: Props<T>) {
  const sorted = columns.filter(({ sort }) => sort);
  if (!onOrder || sorted.length === 0) return null;
  const isShown = sorted.some(({ sort }) => sort === order?.field);
  return (
    <Box sx={{ display: "flex", gap: 1, p: 1.5, pb: 0.5 }}>
      <TextField
        select
        size="small"
        label="Order by"
        value={isShown ? order?.field : ""}
        onChange={(event) => onOrder({ field: event.target.value, descending: false })}
        sx={{ flexGrow: 1 }}
      >
        {sorted.map(({ label, sort }) => (
          <MenuItem key={sort} value={sort}>
            {label}
          </MenuItem>
        ))}
      </TextField>
      {isShown && order && (
        <Button onClick={() => onOrder({ ...order, descending: !order.descending })}>
          {order.descending ? "Descending" : "Ascending"}
        </Button>
      )}
    </Box>
  );
}

interface HeadingProps {
  column: Pick<Column<never>, "label" | "actions" | "sort">;
  order?: Order;
  onOrder?: (order: Order) => void;
}

function Heading({ column: { label, actions, sort }, order, onOrder }: HeadingProps) {
  if (actions) return <Hidden>{label}</Hidden>;
  if (!sort || !onOrder) return label;
  const active = order?.field === sort;
  return (
    <TableSortLabel
      active={active}
      direction={active ? directionOf(order) : "asc"}
      onClick={() => onOrder({ field: sort, descending: active && !order.descending })}
    >
      {label}
    </TableSortLabel>
  );
}

function Cards<T>({ columns, rows, keyOf, label }: Filled<T>) {
  const [title, ...others] = columns;
  const facts = others.filter(({ actions, minor }) => !actions && !minor);
  return (
    <Box component="ul" aria-label={label} sx={{ listStyle: "none", m: 0, p: 0 }}>
      {rows.map((row) => (
        <Box
          component="li"
          key={keyOf(row)}
          sx={{ px: 2, py: 1.5, borderBottom: 1, borderColor: "divider" }}
        >
          <Box sx={{ display: "flex", justifyContent: "space-between", gap: 2, pb: 0.5 }}>
            <Box sx={WHATEVER}>{title?.render(row)}</Box>
            {columns
              .filter(({ actions }) => actions)
              .map((each) => (
                <div key={each.label}>{each.render(row)}</div>
              ))}
          </Box>
          {facts.map((each) => (
            <Box key={each.label} sx={FACT}>
              <Typography variant="body2" color="textSecondary">
                {each.label}
              </Typography>
              <Box sx={{ textAlign: "right", ...WHATEVER }}>{each.render(row)}</Box>
            </Box>
          ))}
        </Box>
      ))}
    </Box>
  );
}

function Hidden({ children }: { children: ReactNode }) {
  return (
    <Box
      component="span"
      sx={{ position: "absolute", width: "1px", clipPath: "inset(50%)", overflow: "hidden" }}
    >
      {children}
    </Box>
  );
}

const directionOf = (order: Order | undefined) => (order?.descending ? "desc" : "asc");

const alignOf = (column: { numeric?: boolean; actions?: boolean }) =>
  column.numeric || column.actions ? "right" : "left";

type Kind = Pick<Column<unknown>, "numeric" | "unbroken" | "actions">;

/** Of what people named: it breaks anywhere before it pushes anything else away. */
const WHATEVER = { minWidth: 0, overflowWrap: "anywhere" };

const cellStyle = ({ numeric, unbroken, actions }: Kind, first: boolean) => ({
  py: 1,
  ...(numeric || unbroken || actions
    ? { whiteSpace: "nowrap" }
    : { ...WHATEVER, minWidth: first ? 160 : 0 }),
  fontVariantNumeric: "tabular-nums",
});

const FACT = {
  display: "flex",
  gap: 2,
  py: 0.25,
  alignItems: "center",
  justifyContent: "space-between",
};
