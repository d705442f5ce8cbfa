/** Names that stand for a set of models. */
import Button from "@mui/material/Button";
import Card from "@mui/material/Card";
import IconButton from "@mui/material/IconButton";
import Stack from "@mui/material/Stack";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { mdiClose, mdiPlus } from "@mdi/js";
import { useState } from "react";
import { Choice } from "../../common/fields";
import { Icon } from "../../common/Icon";
import type { Strategy } from "../../gql/rule";
import { type Alias, STRATEGIES } from "./draft";
import { NamesField } from "./NamesField";

interface Props {
  aliases: readonly Alias[];
  onChange: (aliases: Alias[]) => void;
}

const OWN: readonly (readonly [Strategy | "", string])[] = [
  ["", "As the rules"],
  ...STRATEGIES.map(([strategy, label]) => [strategy, label] as const),
];

export function Aliases({ aliases, onChange }: Props) {
  const [name, setName] = useState("");
  const taken = aliases.some((each) => each.name === name.trim());

  function add() {
    const fresh: Alias = {
      __typename: "RoutingAlias",
      name: name.trim(),
      targets: [],
      fallbacks: [],
      strategy: null,
    };
    onChange([...aliases, fresh]);
    setName("");
  }

  return (
    <Stack spacing={1.5}>
      {aliases.map((each) => (
        <AliasCard
          key={each.name}
          alias={each}
          onChange={(next) => onChange(aliases.map((one) => (one === each ? next : one)))}
          onRemove={() => onChange(aliases.filter((one) => one !== each))}
        />
      ))}
      <Stack direction="row" spacing={1}>
        <TextField
          size="small"
          label="New alias"
          value={name}
          error={taken}
          helperText={taken ? "There is one of this name." : "For example fast, or support."}
          onChange={(event) => setName(event.target.value)}
          sx={{ flexGrow: 1 }}
        />
        <Button
          startIcon={<Icon path={mdiPlus} />}
          disabled={taken || name.trim() === ""}
          onClick={add}
          sx={{ alignSelf: "flex-start" }}
        >
          Add alias
        </Button>
      </Stack>
    </Stack>
  );
}

interface CardProps {
  alias: Alias;
  onChange: (alias: Alias) => void;
  onRemove: () => void;
}

function AliasCard({ alias, onChange, onRemove }: CardProps) {
  const { name, targets, fallbacks, strategy } = alias;
  return (
    <Card variant="outlined" component="section" aria-label={`Alias ${name}`} sx={{ p: 1.5 }}>
      <Stack spacing={1.5}>
        <Stack direction="row" sx={{ justifyContent: "space-between", alignItems: "center" }}>
          <Typography sx={{ fontWeight: 600 }}>{name}</Typography>
          <IconButton size="small" aria-label={`Remove the alias ${name}`} onClick={onRemove}>
            <Icon path={mdiClose} />
          </IconButton>
        </Stack>
        <NamesField
          label={`Targets of ${name}`}
          hint="Models or aliases; the best of them is chosen."
          names={targets}
          onChange={(next) => onChange({ ...alias, targets: next })}
        />
        <NamesField
          label={`Fallbacks of ${name}`}
          names={fallbacks}
          onChange={(next) => onChange({ ...alias, fallbacks: next })}
        />
        <Choice
          size="small"
          name={`strategy-${name}`}
          label="Strategy"
          value={strategy ?? ""}
          onChange={(next) => onChange({ ...alias, strategy: next || null })}
          options={OWN}
          slotProps={{ select: { displayEmpty: true }, inputLabel: { shrink: true } }}
        />
      </Stack>
    </Card>
  );
}
