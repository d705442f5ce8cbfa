// A certified OpenID provider in Keycloak's clothes: its paths, its tokens' shape, its groups and roles.
//
//   node provider.mjs <where oidc-provider is> <port> <redirect address> <seconds a token lives>
//
// Anybody signs in with any password. Who has which roles and groups is told by PUT /people/<name>.
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const [library, port, redirect, seconds] = process.argv.slice(2);
const { default: Provider } = await import(pathToFileURL(library).href);
const REALM = "/realms/fairlead";
const FLOW = "/protocol/openid-connect";
const people = new Map();
const known = (name) => people.get(name) ?? { roles: [], groups: [], blocked: false };

const provider = new Provider(`http://127.0.0.1:${port}${REALM}`, {
  clients: [
    {
      client_id: "fairlead",
      token_endpoint_auth_method: "none",
      grant_types: ["authorization_code", "refresh_token"],
      redirect_uris: [redirect],
      post_logout_redirect_uris: [redirect],
    },
  ],
  claims: { openid: ["sub"], profile: ["name", "preferred_username"], email: ["email"] },
  clientBasedCORS: () => true,
  cookies: { keys: ["only for tests"] },
  findAccount: (_, id) =>
    known(id).blocked ? undefined : { accountId: id, claims: () => ({ sub: id, name: id }) },
  extraTokenClaims: (_, token) => ({
    typ: "Bearer",
    azp: "fairlead",
    name: token.accountId,
    preferred_username: token.accountId,
    email: `${token.accountId}@example.com`,
    realm_access: { roles: ["offline_access", ...known(token.accountId).roles] },
    groups: known(token.accountId).groups,
  }),
  features: {
    resourceIndicators: {
      enabled: true,
      defaultResource: () => "urn:fairlead",
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: "openid profile email",
        accessTokenFormat: "jwt",
        accessTokenTTL: Number(seconds),
        jwt: { sign: { alg: "RS256" } },
      }),
    },
    rpInitiatedLogout: {
      enabled: true,
      // Keycloak asks nobody who shows an ID token.
      logoutSource(ctx, form) {
        const named = form.replace("</form>", '<input type="hidden" name="logout" value="yes"/></form>');
        ctx.body = `<body>${named}<script>document.forms[0].submit()</script></body>`;
      },
    },
  },
  formats: {
    customizers: {
      jwt(_, token, jwt) {
        jwt.header = { ...jwt.header, typ: "JWT" };
        jwt.payload.aud = ["fairlead", "account"];
      },
    },
  },
  issueRefreshToken: () => true,
  // Keycloak asks for no consent to its own clients.
  async loadExistingGrant(ctx) {
    const grant = new ctx.oidc.provider.Grant({
      clientId: ctx.oidc.client.clientId,
      accountId: ctx.oidc.session.accountId,
    });
    grant.addOIDCScope("openid profile email");
    grant.addResourceScope("urn:fairlead", "openid profile email");
    await grant.save();
    return grant;
  },
  routes: {
    authorization: `${FLOW}/auth`,
    token: `${FLOW}/token`,
    jwks: `${FLOW}/certs`,
    userinfo: `${FLOW}/userinfo`,
    end_session: `${FLOW}/logout`,
  },
});
provider.on("server_error", (_, error) => console.error(error));

const callback = provider.callback();
createServer((request, response) => {
  const person = /^\/people\/(\w+)$/.exec(request.url);
  if (person && request.method === "PUT") {
    let body = "";
    request.on("data", (part) => (body += part));
    request.on("end", () => {
      people.set(person[1], JSON.parse(body));
      response.writeHead(204).end();
    });
  } else if (request.url.startsWith(`${REALM}/`)) {
    request.originalUrl = request.url;
    request.url = request.url.slice(REALM.length);
    callback(request, response);
  } else {
    response.writeHead(404).end();
  }
}).listen(Number(port), "127.0.0.1", () => console.log("ready"));
