/** What a list shows, as a file: asked for here, then streamed by a link that soon ends. */
import Button from "@mui/material/Button";
import Menu from "@mui/material/Menu";
import MenuItem from "@mui/material/MenuItem";
import { mdiDownload } from "@mdi/js";
import { useState } from "react";
import { type CombinedError, useClient } from "urql";
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { messageOf } from "./client";
import { Icon } from "./Icon";
import { useNotice } from "./notice";

type Format = "CSV" | "JSON_LINES";

const FORMATS: readonly (readonly [Format, string])[] = [
  ["CSV", "CSV, for spreadsheets"],
  ["JSON_LINES", "JSON Lines, for programs"],
];

interface Props<D, V extends { format: Format }> {
  query: TypedDocumentNode<D, V>;
  variables: Omit<V, "format">;
  urlOf: (data: D) => string;
}

export function ExportButton<D, V extends { format: Format }>(props: Props<D, V>) {
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const client = useClient();
  const notice = useNotice();

  async function download(format: Format) {
    setAnchor(null);
    const variables = { ...props.variables, format } as V;
    const fresh = { requestPolicy: "network-only" } as const;
    const { data, error } = await client.query(props.query, variables, fresh).toPromise();
    if (data) window.location.assign(props.urlOf(data));
    else notice(messageOf(error as CombinedError), () => void download(format));
  }

  return (
    <>
      <Button
        startIcon={<Icon path={mdiDownload} />}
        aria-haspopup="menu"
        onClick={(event) => setAnchor(event.currentTarget)}
      >
        Export
      </Button>
      <Menu anchorEl={anchor} open={anchor !== null} onClose={() => setAnchor(null)}>
        {FORMATS.map(([format, label]) => (
          <MenuItem key={format} onClick={() => void download(format)}>
            {label}
          </MenuItem>
        ))}
      </Menu>
    </>
  );
}
