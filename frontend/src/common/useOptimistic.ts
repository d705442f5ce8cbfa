/** Rows as they will be once the server has agreed: changed at once, and back again where it refuses. */
import { useEffect, useRef, useState } from "react";
import { useNotice } from "./notice";

interface Change<R> {
  /** What the row had when it was changed; a row that has anything else is newer. */
  base: Partial<R>;
  next: Partial<R>;
}

type Changes<R> = ReadonlyMap<string, Change<R>>;

/** What is said when it is done, and what is the case when it is not. */
export interface Outcome {
  done: string;
  failed: string;
}

export const switched = (name: string, on: boolean): Outcome =>
  on
    ? { done: `${name} is in use.`, failed: `${name} is still switched off.` }
    : { done: `${name} is switched off.`, failed: `${name} is still in use.` };

export function useOptimistic<R extends object>(
  rows: readonly R[] | undefined,
  keyOf: (row: R) => string,
) {
  const [changes, setChanges] = useState<Changes<R>>(new Map());
  const notice = useNotice();
  const latest = useRef({ rows, keyOf });
  useEffect(() => {
    latest.current = { rows, keyOf };
  });
  useEffect(() => setChanges((known) => pending(known, rows, latest.current.keyOf)), [rows]);

  const shown = rows?.map((row) => {
    const change = changes.get(keyOf(row));
    return change && isUnder(change, row) ? { ...row, ...change.next } : row;
  });

  /** Resolves in any case; a failure is shown with a way to try once more. */
  async function change(
    row: R,
    next: Partial<R>,
    act: () => Promise<unknown>,
    { done, failed }: Outcome,
  ): Promise<void> {
    const key = keyOf(row);
    const found = latest.current.rows?.find((each) => keyOf(each) === key) ?? row;
    setChanges((known) => new Map(known).set(key, { base: baseOf(found, next), next }));
    try {
      await act();
      notice(done);
    } catch (error) {
      setChanges((known) => new Map([...known].filter(([each]) => each !== key)));
      notice(`${failed} ${(error as Error).message}`, () => {
        void change(row, next, act, { done, failed });
      });
    }
  }

  return { shown, change };
}

function baseOf<R extends object>(row: R, next: Partial<R>): Partial<R> {
  const names = [...Object.keys(next), "version"].filter((name) => name in row);
  return Object.fromEntries(names.map((name) => [name, row[name as keyof R]])) as Partial<R>;
}

function isUnder<R extends object>({ base }: Change<R>, row: R): boolean {
  return Object.entries(base).every(([name, value]) => row[name as keyof R] === value);
}

/** Without those that the rows have caught up with. */
function pending<R extends object>(
  known: Changes<R>,
  rows: readonly R[] | undefined,
  keyOf: (row: R) => string,
): Changes<R> {
  const kept = [...known].filter(([key, change]) => {
    const row = rows?.find((each) => keyOf(each) === key);
    return row !== undefined && isUnder(change, row);
  });
  return kept.length === known.size ? known : new Map(kept);
}
