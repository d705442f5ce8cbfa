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

export function useKeyset(size: number) {
  const [position, setPosition] = useState<Position>({ first: size });
  const restart = useCallback(() => setPosition({ first: size }), [size]);
  const next = (page: PageInfo) => setPosition({ first: size, after: page.endCursor });
  const previous = (page: PageInfo) => setPosition({ last: size, before: page.startCursor });
  return { position, restart, next, previous };
}

export type Keyset = ReturnType<typeof useKeyset>;
