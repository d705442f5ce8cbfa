/** For whom an administrator issues a key, and for which of their organisations it acts. */
import Autocomplete from "@mui/material/Autocomplete";
import TextField from "@mui/material/TextField";
import { useState } from "react";
import { useQuery } from "urql";
import { Choice } from "../../common/fields";
import { useDebounced } from "../../common/useDebounced";
import { KeyOwnersDocument, type KeyOwnersQuery } from "../../gql/apikey";

export type Owner = KeyOwnersQuery["users"]["nodes"][number];

interface Props {
  /** Null: the administrator's own key. */
  owner: Owner | null;
  setOwner: (owner: Owner | null) => void;
  organization: string;
  setOrganization: (id: string) => void;
}

export function OwnerFields({ owner, setOwner, organization, setOrganization }: Props) {
  const [typed, setTyped] = useState("");
  const variables = { search: useDebounced(typed.trim()) || null };
  const [{ data }] = useQuery({ query: KeyOwnersDocument, variables });
  const theirs = owner?.memberships.nodes.map((each) => each.organization) ?? [];
  return (
    <>
      <Autocomplete
        value={owner}
        onInputChange={(_, value, why) => setTyped(why === "input" ? value : "")}
        onChange={(_, chosen) => {
          setOwner(chosen);
          setOrganization(chosen?.memberships.nodes[0]?.organization.id ?? "");
        }}
        filterOptions={(options) => options}
        options={data?.users.nodes ?? []}
        getOptionKey={({ id }) => id}
        getOptionLabel={({ name, email }) => (email ? `${name} (${email})` : name)}
        isOptionEqualToValue={(option, value) => option.id === value.id}
        renderInput={(props) => (
          <TextField {...props} label="For whom (optional)" helperText="Empty: for yourself." />
        )}
      />
      {owner && theirs.length > 0 && (
        <Choice
          name="organization"
          label="Acts for"
          value={organization}
          onChange={setOrganization}
          options={[["", "Themselves"], ...theirs.map(({ id, name }) => [id, name] as const)]}
          slotProps={{ select: { displayEmpty: true }, inputLabel: { shrink: true } }}
        />
      )}
    </>
  );
}
