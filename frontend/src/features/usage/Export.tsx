/** The requests that are shown, as a file: asked for here, then streamed by a link that soon ends. */
import Button from "@mui/material/Button";
import Menu from "@mui/material/Menu";
import MenuItem from "@mui/material/MenuItem";
import { mdiDownload } from "@mdi/js";
import { useState } from "react";
import { useClient } from "urql";
import { messageOf } from "../../common/client";
import { Icon } from "../../common/Icon";
import { useNotice } from "../../common/notice";
import { type ExportFormat, UsageExportDocument } from "../../gql/usage";
import { type Asked, FIRST, variablesOf } from "./period";

const FORMATS: readonly (readonly [ExportFormat, string])[] = [
  ["CSV", "CSV, for spreadsheets"],
  ["JSON_LINES", "JSON Lines, for programs"],
];

export function Export({ asked }: { asked: Asked }) {
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const client = useClient();
  const notice = useNotice();

  async function download(format: ExportFormat) {
    setAnchor(null);
    const variables = { ...(variablesOf(asked) ?? variablesOf(FIRST)!), format };
    const fresh = { requestPolicy: "network-only" } as const;
    const { data, error } = await client.query(UsageExportDocument, variables, fresh).toPromise();
    if (data) window.location.assign(data.usageExport.url);
    else if (error) notice(messageOf(error));
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
