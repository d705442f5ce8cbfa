/** Why a request went, or would go, where it does: the verdict, each candidate, and what would turn it. */
import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";
import Chip from "@mui/material/Chip";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import { words } from "../../common/format";
import { CandidateRow, Legend } from "./CandidateRow";
import { type Decision, flip, reasonCode, rulesText, strategyText, verdict } from "./words";

export function DecisionView({ decision }: { decision: Decision }) {
  const { candidates, flipConditions, unresolved, winner, isLastResort } = decision;
  const eligible = candidates.filter((each) => each.eligible);
  const dropped = candidates.filter((each) => !each.eligible);
  const best = Math.max(...eligible.map((each) => each.total), 0.001);
  return (
    <Stack spacing={2}>
      <Alert severity={winner ? "success" : "warning"} icon={false}>
        {verdict(decision)}
      </Alert>
      {isLastResort && (
        <Alert severity="warning">Everyone is failing or limited; the least bad is tried.</Alert>
      )}
      {unresolved.length > 0 && (
        <Alert severity="warning">Names that lead nowhere: {unresolved.join(", ")}</Alert>
      )}
      <Facts decision={decision} />
      {eligible.length > 0 && (
        <section aria-label="Candidates by rank">
          <Legend />
          {(decision.strategy === "COST" || decision.strategy === "LATENCY") && (
            <Typography variant="body2" color="textSecondary">
              The bars compare; the order is by {decision.strategy.toLowerCase()} alone.
            </Typography>
          )}
          <Box component="ol" sx={{ listStyle: "none", m: 0, p: 0 }}>
            {eligible.map((each) => (
              <CandidateRow key={each.reference} candidate={each} scale={best} />
            ))}
          </Box>
        </section>
      )}
      {flipConditions.length > 0 && (
        <section aria-label="What would turn it">
          <Typography variant="subtitle2" component="h3">
            What would turn it
          </Typography>
          <Box component="ul" sx={{ m: 0, pl: 2.5 }}>
            {flipConditions.slice(0, 6).map((each) => (
              <Typography component="li" variant="body2" key={flip(each)}>
                {flip(each)}
              </Typography>
            ))}
          </Box>
        </section>
      )}
      {dropped.length > 0 && <Dropped decision={decision} dropped={dropped} />}
    </Stack>
  );
}

function Facts({ decision }: { decision: Decision }) {
  const { facts, aliasChain, fallbackOrder } = decision;
  const level = facts.servedLevel ?? facts.level;
  const chips = [
    strategyText(decision),
    rulesText(decision),
    `${facts.inputTokens.toLocaleString()} input tokens${facts.isEstimated ? ", estimated" : ""}`,
    ...(level ? [`Level ${words(level)}`] : []),
    ...(aliasChain.length > 0 ? [`Alias ${aliasChain.join(" → ")}`] : []),
  ];
  return (
    <Stack spacing={1}>
      <Stack direction="row" spacing={1} useFlexGap sx={{ flexWrap: "wrap" }}>
        {chips.map((each) => (
          <Chip key={each} size="small" label={each} />
        ))}
      </Stack>
      {fallbackOrder.length > 1 && (
        <Typography variant="body2" color="textSecondary">
          Tried in this order: {fallbackOrder.map(({ reference }) => reference).join(" → ")}
        </Typography>
      )}
    </Stack>
  );
}

interface DroppedProps {
  decision: Decision;
  dropped: Decision["candidates"];
}

function Dropped({ decision, dropped }: DroppedProps) {
  return (
    <Box component="details">
      <Typography component="summary" variant="subtitle2" sx={{ cursor: "pointer" }}>
        Dropped:{" "}
        {decision.excluded
          .map(({ code, count }) => `${count.toLocaleString()} ${reasonCode(code).toLowerCase()}`)
          .join(", ")}
      </Typography>
      <Box component="ul" sx={{ listStyle: "none", m: 0, p: 0 }}>
        {dropped.map((each) => (
          <CandidateRow key={each.reference} candidate={each} scale={1} />
        ))}
      </Box>
    </Box>
  );
}
