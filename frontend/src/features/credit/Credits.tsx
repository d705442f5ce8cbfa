/** The Credits tab: one's own balance and ledger; everybody's wallets for administrators. */
import Button from "@mui/material/Button";
import { mdiArrowLeft } from "@mdi/js";
import { useSearchParams } from "react-router";
import { useQuery } from "urql";
import { messageOf } from "../../common/client";
import { Icon } from "../../common/Icon";
import { useNotice } from "../../common/notice";
import { Page } from "../../common/Page";
import { Loading, Problem } from "../../common/states";
import { Toggle } from "../../common/Toggle";
import { useIsAdmin } from "../../common/viewer";
import { CreditsDocument, type CreditsQuery } from "../../gql/credit";
import { Mode } from "./Mode";
import { Wallets } from "./Wallets";
import { WalletView } from "./WalletView";

export function Credits() {
  const [{ data, error }, refetch] = useQuery({ query: CreditsDocument });
  const refresh = () => refetch({ requestPolicy: "network-only" });
  const [parameters, setParameters] = useSearchParams();
  const notice = useNotice();
  const isAdmin = useIsAdmin();
  const owner = parameters.get("owner");
  const choose = (id: string) => setParameters({ owner: id });

  function changed(text: string) {
    notice(text);
    refresh();
  }

  return (
    <Page title="Credits" about="One credit is one US dollar; every movement stays in the ledger.">
      {error && !data && <Problem message={messageOf(error)} retry={refresh} />}
      {!data && !error && <Loading />}
      {data && <Mode settings={data.creditSettings} onChange={isAdmin ? changed : null} />}
      {data && isAdmin && !owner && <Wallets onChoose={choose} />}
      {isAdmin && owner && (
        <>
          <Button
            sx={{ alignSelf: "flex-start" }}
            startIcon={<Icon path={mdiArrowLeft} />}
            onClick={() => setParameters({})}
          >
            All wallets
          </Button>
          <WalletView key={owner} owner={owner} />
        </>
      )}
      {data && !isAdmin && <Own viewer={data.viewer} owner={owner} onChoose={choose} />}
    </Page>
  );
}

interface OwnProps {
  viewer: CreditsQuery["viewer"];
  owner: string | null;
  onChoose: (owner: string) => void;
}

/** One's own wallet, and that of the organisation one administers. */
function Own({ viewer, owner, onChoose }: OwnProps) {
  const { user, organization, organizationRole, paidBy } = viewer;
  const governs = organization && organizationRole === "ADMIN" ? organization : null;
  const options = [
    [user.id, paidBy === "USER" ? "Mine, which pays" : "Mine"] as const,
    ...(governs
      ? [
          [
            governs.id,
            paidBy === "ORGANIZATION" ? `${governs.name}, which pays` : governs.name,
          ] as const,
        ]
      : []),
  ];
  const shown = options.find(([id]) => id === owner)?.[0] ?? user.id;
  return (
    <>
      {governs && (
        <Toggle label="Whose wallet" value={shown} options={options} onChange={onChoose} />
      )}
      <WalletView key={shown} owner={shown} />
    </>
  );
}
