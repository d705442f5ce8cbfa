/** Steps through the pages of a keyset list, and says how many there are. */
import IconButton from "@mui/material/IconButton";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import { mdiChevronLeft, mdiChevronRight } from "@mdi/js";
import { Icon } from "./Icon";
import type { Keyset, PageInfo } from "./useKeyset";

interface Props {
  page: PageInfo | undefined;
  keyset: Keyset;
  total?: number;
  /** Of many. */
  noun: string;
}

const ONE: Partial<Record<string, string>> = {
  deliveries: "delivery",
  entries: "entry",
  people: "person",
};

export function Pager({ page, keyset, total, noun }: Props) {
  if (!page || (!page.hasNextPage && !page.hasPreviousPage && !total)) return null;
  return (
    <Stack
      direction="row"
      spacing={1}
      component="nav"
      aria-label={`Pages of ${noun}`}
      sx={{ alignItems: "center", justifyContent: "flex-end", px: 2, py: 0.5 }}
    >
      {total !== undefined && (
        <Typography variant="body2" color="textSecondary">
          {total.toLocaleString()} {total === 1 ? (ONE[noun] ?? noun.replace(/s$/, "")) : noun}
        </Typography>
      )}
      <IconButton
        aria-label="Previous page"
        disabled={!page.hasPreviousPage}
        onClick={() => keyset.previous(page)}
      >
        <Icon path={mdiChevronLeft} />
      </IconButton>
      <IconButton
        aria-label="Next page"
        disabled={!page.hasNextPage}
        onClick={() => keyset.next(page)}
      >
        <Icon path={mdiChevronRight} />
      </IconButton>
    </Stack>
  );
}
