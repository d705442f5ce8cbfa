/** The models as a list: a grid where there is room for one, cards on a phone. */
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef } from "react";
import { ListTable } from "../../common/ListTable";
import { Pager } from "../../common/Pager";
import { Loading } from "../../common/states";
import { useNarrow } from "../../common/useNarrow";
import { columnsOf, type Run } from "./columns";
import type { GridProps } from "./ModelGrid";

const ModelGrid = lazy(async () => ({ default: (await import("./ModelGrid")).ModelGrid }));

/** Columns that stay the same while what their buttons do does not. */
export function useColumns(run: Run | null) {
  const latest = useRef(run);
  useEffect(() => {
    latest.current = run;
  });
  const stable: Run = useCallback((command, model) => latest.current?.(command, model), []);
  const mayChange = run !== null;
  return useMemo(() => columnsOf(mayChange ? stable : null), [mayChange, stable]);
}

export function ModelList(props: GridProps) {
  const narrow = useNarrow();
  const { rows, columns, order, onOrder, empty, page, keyset, total } = props;
  if (!narrow) {
    return (
      <Suspense fallback={<Loading label="Loading models" />}>
        <ModelGrid {...props} />
      </Suspense>
    );
  }
  return (
    <ListTable
      label="Models"
      keyOf={({ id }) => id}
      footer={<Pager noun="models" {...{ page, keyset, total }} />}
      {...{ columns, rows, order, onOrder, empty }}
    />
  );
}
