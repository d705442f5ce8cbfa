/** Everybody's balance, for administrators; a choice opens the wallet. */
import Button from "@mui/material/Button";
import Chip from "@mui/material/Chip";
import Stack from "@mui/material/Stack";
import TextField from "@mui/material/TextField";
import { mdiWalletOutline } from "@mdi/js";
import { useState } from "react";
import { useQuery } from "urql";
import { messageOf } from "../../common/client";
import { type Column, ListTable } from "../../common/ListTable";
import { dollars } from "../../common/money";
import { Pager } from "../../common/Pager";
import { Empty } from "../../common/states";
import { Toggle } from "../../common/Toggle";
import { useDebounced } from "../../common/useDebounced";
import { useKeyset } from "../../common/useKeyset";
import {
  type WalletsOfOrganizationsQuery,
  WalletsOfOrganizationsDocument,
  WalletsOfPeopleDocument,
  type WalletsOfPeopleQuery,
} from "../../gql/credit";

type Owner =
  | WalletsOfPeopleQuery["users"]["nodes"][number]
  | WalletsOfOrganizationsQuery["organizations"]["nodes"][number];
type Kind = "people" | "organisations";

const KINDS: readonly (readonly [Kind, string])[] = [
  ["people", "People"],
  ["organisations", "Organisations"],
];

export function Wallets({ onChoose }: { onChoose: (owner: string) => void }) {
  const [kind, setKind] = useState<Kind>("people");
  const [search, setSearch] = useState("");
  const keyset = useKeyset(25);
  const variables = { search: useDebounced(search.trim()) || null, ...keyset.position };
  const isPeople = kind === "people";
  const [people, askPeople] = useQuery({
    query: WalletsOfPeopleDocument,
    variables,
    pause: !isPeople,
  });
  const [organizations, askOrganizations] = useQuery({
    query: WalletsOfOrganizationsDocument,
    variables,
    pause: isPeople,
  });
  const connection = isPeople ? people.data?.users : organizations.data?.organizations;
  const error = isPeople ? people.error : organizations.error;

  function turn(next: Kind) {
    setKind(next);
    keyset.restart();
  }

  return (
    <Stack spacing={2}>
      <Stack direction="row" spacing={1.5} useFlexGap sx={{ flexWrap: "wrap" }}>
        <Toggle label="Whose wallets" value={kind} options={KINDS} onChange={turn} />
        <TextField
          size="small"
          type="search"
          label="Search wallets"
          value={search}
          sx={{ flexGrow: 1, maxWidth: 360 }}
          onChange={(event) => {
            setSearch(event.target.value);
            keyset.restart();
          }}
        />
      </Stack>
      <ListTable<Owner>
        label="Wallets"
        columns={columnsOf(onChoose)}
        rows={connection?.nodes}
        keyOf={({ id }) => id}
        problem={error && !connection ? messageOf(error) : null}
        retry={() => (isPeople ? askPeople() : askOrganizations())}
        empty={
          <Empty icon={mdiWalletOutline} title="Nobody matches">
            Search for part of a name.
          </Empty>
        }
        footer={
          <Pager
            page={connection?.pageInfo}
            keyset={keyset}
            total={connection?.totalCount}
            noun="wallets"
          />
        }
      />
    </Stack>
  );
}

function columnsOf(choose: (owner: string) => void): Column<Owner>[] {
  return [
    { label: "Whose", render: ({ name }) => name },
    { label: "Available", numeric: true, render: ({ wallet }) => amount(wallet?.available) },
    { label: "Balance", numeric: true, render: ({ wallet }) => amount(wallet?.balance) },
    {
      label: "State",
      render: ({ wallet }) =>
        wallet?.frozen ? <Chip size="small" color="warning" label="Frozen" /> : "Active",
    },
    {
      label: "Actions",
      actions: true,
      render: ({ id, name }) => (
        <Button size="small" aria-label={`Open the wallet of ${name}`} onClick={() => choose(id)}>
          Open
        </Button>
      ),
    },
  ];
}

const amount = (value: string | undefined) => (value === undefined ? "–" : dollars(value));
