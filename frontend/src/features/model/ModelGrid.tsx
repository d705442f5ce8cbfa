/** The models as a grid: columns chosen, sized and walked by key; ordered and paged by the server. */
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Card from "@mui/material/Card";
import {
  ColumnsPanelTrigger,
  DataGrid,
  type GridColDef,
  type GridColumnVisibilityModel,
  type GridDensity,
  type NoRowsOverlayPropsOverrides,
  Toolbar,
  type ToolbarPropsOverrides,
} from "@mui/x-data-grid";
import { mdiViewColumnOutline } from "@mdi/js";
import { type ReactNode, useMemo } from "react";
import { Icon } from "../../common/Icon";
import type { Order } from "../../common/ListTable";
import { Pager } from "../../common/Pager";
import { Toggle } from "../../common/Toggle";
import { useKept } from "../../common/useKept";
import type { Keyset, PageInfo } from "../../common/useKeyset";
import type { ModelRowFragment } from "../../gql/model";
import type { ModelColumn } from "./columns";

declare module "@mui/x-data-grid" {
  interface ToolbarPropsOverrides {
    density: GridDensity;
    onDensity: (density: GridDensity) => void;
  }
  interface NoRowsOverlayPropsOverrides {
    empty: ReactNode;
  }
  interface NoResultsOverlayPropsOverrides {
    empty: ReactNode;
  }
}

const DENSITIES: readonly (readonly [GridDensity, string])[] = [
  ["compact", "Compact"],
  ["standard", "Standard"],
];
const ROW_PX = 64;
/** More rows than these scroll within the grid, under its headings. */
const FEW = 8;

interface Layout {
  visible: GridColumnVisibilityModel;
  widths: Record<string, number>;
  density: GridDensity;
}

export interface GridProps {
  columns: readonly ModelColumn[];
  rows: readonly ModelRowFragment[] | undefined;
  busy: boolean;
  page: PageInfo | undefined;
  total: number | undefined;
  keyset: Keyset;
  order: Order;
  onOrder: (order: Order) => void;
  empty: ReactNode;
}

export function ModelGrid(props: GridProps) {
  const { columns, rows = [], busy, page, total, keyset, order, onOrder, empty } = props;
  const [layout, keep] = useKept<Layout>("models", {
    visible: Object.fromEntries(columns.map(({ label, hidden }) => [label, !hidden])),
    widths: {},
    density: "standard",
  });
  const definitions = useMemo(
    () => columns.map((each) => definitionOf(each, layout.widths[each.label])),
    [columns, layout.widths],
  );
  const sorted = columns.find(({ sort }) => sort === order.field);

  return (
    <Card
      variant="outlined"
      sx={{
        display: "flex",
        flexDirection: "column",
        height: rows.length > FEW ? "max(480px, calc(100dvh - 96px))" : undefined,
      }}
    >
      <DataGrid
        aria-label="Models"
        rows={rows}
        columns={definitions}
        loading={busy}
        rowHeight={ROW_PX}
        density={layout.density}
        columnVisibilityModel={layout.visible}
        onColumnVisibilityModelChange={(visible) => keep({ visible })}
        onColumnWidthChange={({ colDef, width }) =>
          keep({ widths: { ...layout.widths, [colDef.field]: width } })
        }
        disableColumnFilter
        disableRowSelectionOnClick
        sortingMode="server"
        sortingOrder={["asc", "desc"]}
        sortModel={sorted ? [{ field: sorted.label, sort: order.descending ? "desc" : "asc" }] : []}
        onSortModelChange={([chosen]) => {
          const field = columns.find(({ label }) => label === chosen?.field)?.sort;
          if (field) onOrder({ field, descending: chosen?.sort === "desc" });
        }}
        hideFooter
        showToolbar
        slots={{ noRowsOverlay: Nothing, noResultsOverlay: Nothing, toolbar: Tools }}
        slotProps={{
          noRowsOverlay: { empty },
          noResultsOverlay: { empty },
          toolbar: { density: layout.density, onDensity: (density) => keep({ density }) },
          loadingOverlay: { variant: "linear-progress", noRowsVariant: "skeleton" },
        }}
        sx={{ border: 0, "--DataGrid-overlayHeight": "320px", fontVariantNumeric: "tabular-nums" }}
      />
      <Pager noun="models" {...{ page, keyset, total }} />
    </Card>
  );
}

function Nothing({ empty }: NoRowsOverlayPropsOverrides) {
  return <Box sx={{ whiteSpace: "normal" }}>{empty}</Box>;
}

function Tools({ density, onDensity }: ToolbarPropsOverrides) {
  return (
    <Toolbar>
      <Box sx={{ flexGrow: 1 }} />
      <Toggle label="Density" value={density} options={DENSITIES} onChange={onDensity} />
      <ColumnsPanelTrigger
        render={<Button startIcon={<Icon path={mdiViewColumnOutline} />}>Columns</Button>}
      />
    </Toolbar>
  );
}

function definitionOf(column: ModelColumn, width?: number): GridColDef<ModelRowFragment> {
  const { label, sort, numeric, actions, render, wide, narrowest = 96 } = column;
  return {
    field: label,
    headerName: label,
    display: "flex",
    sortable: sort !== undefined,
    hideable: !actions && !wide,
    resizable: !actions,
    disableColumnMenu: true,
    align: numeric || actions ? "right" : "left",
    headerAlign: numeric || actions ? "right" : "left",
    ...(width === undefined ? { flex: wide ? 2 : 1 } : { width }),
    minWidth: actions ? 72 : wide ? 240 : Math.max(narrowest, 28 + label.length * 8),
    ...(actions ? { width: 72, flex: 0, renderHeader: () => null } : {}),
    renderCell: ({ row }) => render(row),
  };
}
