/** Paging by cursor: variables of the page to ask for, and the steps to its neighbours. */
import { useCallback, useState } from "react";

export interface PageInfo {
  hasNextPage: boolean;
  hasPreviousPage: boolean;
  startCursor?: string | null;
  endCursor?: string | null;
}

interface Position {
  first?: number;
  after?: string | null;
  last?: number;
  before?: string | null;
}

/** `page` counts from 0. */
export function useKeyset(size: number) {
  const [{ page, position }, set] = useState<{ page: number; position: Position }>({
    page: 0,
    position: { first: size },
  });
  const restart = useCallback(() => set({ page: 0, position: { first: size } }), [size]);
  const next = (at: PageInfo) =>
    set({ page: page + 1, position: { first: size, after: at.endCursor } });
  const previous = (at: PageInfo) =>
    set({ page: page - 1, position: { last: size, before: at.startCursor } });
  return { page, position, restart, next, previous };
}

export type Keyset = ReturnType<typeof useKeyset>;
