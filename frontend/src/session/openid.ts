/** Signing in with the OpenID provider that the server names: code with PKCE, tokens in this tab. */
import { User, UserManager, WebStorageStateStore } from "oidc-client-ts";

export interface OpenIdMethod {
  issuer: string;
  clientId: string;
  scope: string;
}

/** What a redirect brings back: where the page was, or that another tab waits for the sign-in. */
interface Return {
  path: string;
  again: boolean;
}

const CHANNEL = "fairlead:signed-in";
const AGAIN = "signin";

export class OpenIdSession {
  readonly #issuer: string;
  readonly #manager: UserManager;
  readonly #channel = new BroadcastChannel(CHANNEL);
  #user: User | null = null;

  /** `onEnd` is called when the tokens have ended and could not be renewed. */
  constructor(method: OpenIdMethod, onEnd: () => void) {
    const home = `${window.location.origin}/`;
    this.#issuer = method.issuer;
    this.#manager = new UserManager({
      authority: method.issuer,
      client_id: method.clientId,
      scope: method.scope,
      redirect_uri: home,
      post_logout_redirect_uri: home,
      userStore: new WebStorageStateStore({ store: window.sessionStorage }),
      automaticSilentRenew: true,
      loadUserInfo: false,
    });
    this.#manager.events.addUserLoaded((user) => {
      this.#user = user;
    });
    this.#manager.events.addAccessTokenExpired(onEnd);
  }

  /** The access token that requests carry, or null. */
  get token(): string | null {
    return this.#user && !this.#user.expired ? this.#user.access_token : null;
  }

  /** Whether this tab keeps tokens, though they may have ended. */
  get holds(): boolean {
    return this.#user !== null;
  }

  /** Keep no tokens: somebody signs in otherwise, or has signed out in another tab. */
  async forget(): Promise<void> {
    this.#user = null;
    await this.#manager.removeUser();
  }

  /** Take up what a redirect brought, or what this tab kept. True when somebody is signed in. */
  async resume(): Promise<boolean> {
    const query = new URLSearchParams(window.location.search);
    if (query.has(AGAIN)) {
      await this.signIn(true);
      return false;
    }
    if (query.has("state") && (query.has("code") || query.has("error"))) {
      await this.#return();
    } else {
      this.#user = await this.#manager.getUser();
      if (this.#user?.expired && this.#user.refresh_token) {
        this.#user = await this.#manager.signinSilent().catch(() => null);
      }
    }
    return this.token !== null;
  }

  async #return(): Promise<void> {
    const here = window.location.href;
    // The code is used once, and is not to be seen in the address.
    window.history.replaceState(null, "", "/");
    const issuer = new URL(here).searchParams.get("iss");
    if (issuer !== null && issuer !== this.#issuer) {
      throw new Error("Another identity provider answered: sign in again.");
    }
    const user = await this.#manager.signinCallback(here);
    const back = user?.state as Return | undefined;
    if (user && back?.again) {
      this.#channel.postMessage(user.toStorageString());
      window.close();
      throw new Error("You are signed in again: close this tab and go on where you were.");
    }
    this.#user = user ?? null;
    if (back && back.path !== "/") {
      // The router has read the address already, so the page starts again where it was left.
      // Two slashes in front would begin another host's address.
      window.location.replace(window.location.origin + back.path);
      await forever();
    }
  }

  /** Leave for the provider's own page. */
  async signIn(again = false): Promise<void> {
    const { pathname, search, hash } = window.location;
    const path = again ? "/" : pathname + search + hash;
    await this.#manager.signinRedirect({
      state: { path, again } satisfies Return,
      nonce: crypto.randomUUID(),
    });
    await forever();
  }

  /** Sign in again in a tab of its own, so that nothing on this page is lost. */
  async signInBeside(): Promise<void> {
    const signedIn = new Promise<User>((resolve) => {
      const take = (event: MessageEvent) => {
        this.#channel.removeEventListener("message", take);
        resolve(User.fromStorageString(String(event.data)));
      };
      this.#channel.addEventListener("message", take);
    });
    window.open(`/?${AGAIN}=again`, "_blank");
    this.#user = await signedIn;
    await this.#manager.storeUser(this.#user);
    this.#manager.events.load(this.#user);
  }

  /** End the session here and at the provider. */
  async signOut(): Promise<void> {
    try {
      await this.#manager.signoutRedirect();
    } catch {
      // A provider without a sign-out of its own: forgetting is all there is.
      await this.forget();
      window.location.assign("/");
    }
    await forever();
  }
}

/** The page is about to be replaced: nothing after this is to happen. */
function forever(): Promise<never> {
  return new Promise(() => {});
}
