/** Whether there is only a phone's width: lists are cards then, and their pages shorter. */
import useMediaQuery from "@mui/material/useMediaQuery";

export const useNarrow = () => useMediaQuery("(max-width: 700px)", { noSsr: true });
