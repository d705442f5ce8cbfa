/** The People tab: who may sign in, and the organisations they belong to. */
import Tab from "@mui/material/Tab";
import Tabs from "@mui/material/Tabs";
import { mdiAccountGroupOutline } from "@mdi/js";
import { useSearchParams } from "react-router";
import { useQuery } from "urql";
import { messageOf } from "../../common/client";
import { Page } from "../../common/Page";
import { Empty, Loading, Problem } from "../../common/states";
import { useIsAdmin } from "../../common/viewer";
import { OwnOrganizationDocument } from "../../gql/people";
import { Members } from "./Members";
import { Organizations } from "./Organizations";
import { Persons } from "./Persons";

export function People() {
  return (
    <Page title="People" about="Who may sign in, and the organisations they belong to.">
      {useIsAdmin() ? <Everybody /> : <Own />}
    </Page>
  );
}

function Everybody() {
  const [parameters, setParameters] = useSearchParams();
  const view = parameters.get("view") === "organisations" ? "organisations" : "people";
  return (
    <>
      <Tabs
        value={view}
        aria-label="What is listed"
        onChange={(_, chosen: string) => setParameters(chosen === "people" ? {} : { view: chosen })}
      >
        <Tab value="people" label="People" />
        <Tab value="organisations" label="Organisations" />
      </Tabs>
      {view === "people" ? <Persons /> : <Organizations />}
    </>
  );
}

function Own() {
  const [{ data, error }] = useQuery({ query: OwnOrganizationDocument });
  if (error && !data) return <Problem message={messageOf(error)} />;
  if (!data) return <Loading />;
  const { organization, organizationRole } = data.viewer;
  if (organization && organizationRole === "ADMIN") return <Members organization={organization} />;
  return (
    <Empty icon={mdiAccountGroupOutline} title={organization?.name ?? "No organisation"}>
      Its members are shown to those who administer it.
    </Empty>
  );
}
