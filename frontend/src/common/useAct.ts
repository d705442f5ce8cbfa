/** Mutations as functions: the payload on success, a Refused with the server's reason otherwise. */
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { useCallback } from "react";
import { type AnyVariables, useClient } from "urql";
import { messageOf } from "./client";

interface Refusal {
  message: string;
  code: string;
  field?: string;
  references?: string[];
}

/** A failure that the schema foresees, or that kept the request from being answered. */
export class Refused extends Error {
  readonly code: string | undefined;
  readonly field: string | undefined;
  readonly references: string[];

  constructor({ message, code, field, references }: Partial<Refusal> & { message: string }) {
    super(message);
    this.code = code;
    this.field = field;
    this.references = references ?? [];
  }
}

type Result<D> = Exclude<D[keyof D], string | undefined>;
export type Payload<D> = Exclude<Result<D>, Refusal>;

/** A function that runs the mutation, which has one root field. It throws Refused. */
export function useAct<D extends object, V extends AnyVariables>(
  document: TypedDocumentNode<D, V>,
) {
  const client = useClient();
  return useCallback(
    async (variables: V): Promise<Payload<D>> => {
      const { data, error } = await client.mutation<D, V>(document, variables).toPromise();
      if (error) throw new Refused({ message: messageOf(error) });
      const result = Object.values(data ?? {}).find(
        (each) => typeof each === "object",
      ) as Result<D>;
      if (isRefusal(result)) throw new Refused(result);
      return result as Payload<D>;
    },
    [client, document],
  );
}

function isRefusal(result: unknown): result is Refusal {
  return typeof result === "object" && result !== null && "code" in result && "message" in result;
}
