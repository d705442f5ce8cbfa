/** Things in an order: dragged, or moved by buttons and so by key; removed where that is allowed. */
import Box from "@mui/material/Box";
import IconButton from "@mui/material/IconButton";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import { mdiArrowDown, mdiArrowUp, mdiClose } from "@mdi/js";
import { useState } from "react";
import { Icon } from "./Icon";
import { moved } from "./order";

interface Props {
  label: string;
  items: readonly string[];
  /** What an item is called; by default itself. */
  nameOf?: (item: string) => string;
  onChange: (items: string[]) => void;
  removable?: boolean;
}

export function OrderedList({ label, items, nameOf, onChange, removable }: Props) {
  const [dragged, setDragged] = useState<number | null>(null);
  if (items.length === 0) return null;
  return (
    <Box component="ol" aria-label={label} sx={{ listStyle: "none", m: 0, p: 0 }}>
      {items.map((item, index) => {
        const name = nameOf ? nameOf(item) : item;
        const move = (to: number) => () => onChange(moved(items, index, to));
        return (
          <Stack
            key={item}
            component="li"
            direction="row"
            draggable
            onDragStart={() => setDragged(index)}
            onDragOver={(event) => event.preventDefault()}
            onDrop={() => dragged !== null && onChange(moved(items, dragged, index))}
            sx={{ alignItems: "center", cursor: "grab", borderBottom: 1, borderColor: "divider" }}
          >
            <Typography variant="body2" sx={{ flexGrow: 1, wordBreak: "break-word" }}>
              {index + 1}. {name}
            </Typography>
            <Step
              label={`Move ${name} up`}
              icon={mdiArrowUp}
              disabled={index === 0}
              onClick={move(index - 1)}
            />
            <Step
              label={`Move ${name} down`}
              icon={mdiArrowDown}
              disabled={index === items.length - 1}
              onClick={move(index + 1)}
            />
            {removable && (
              <Step
                label={`Remove ${name}`}
                icon={mdiClose}
                onClick={() => onChange(items.filter((each) => each !== item))}
              />
            )}
          </Stack>
        );
      })}
    </Box>
  );
}

interface StepProps {
  label: string;
  icon: string;
  disabled?: boolean;
  onClick: () => void;
}

function Step({ label, icon, disabled, onClick }: StepProps) {
  return (
    <IconButton size="small" aria-label={label} disabled={disabled} onClick={onClick}>
      <Icon path={icon} fontSize="small" />
    </IconButton>
  );
}
