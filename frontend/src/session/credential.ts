/** What the page's own requests carry: the access token of this tab, else the cookie. */

interface Tokens {
  readonly token: string | null;
}

class Credential {
  #tokens: Tokens | null = null;

  use(tokens: Tokens): void {
    this.#tokens = tokens;
  }

  /** Headers for `fetch`, and the payload that opens a WebSocket. */
  get headers(): Record<string, string> {
    const token = this.#tokens?.token;
    return token ? { authorization: `Bearer ${token}` } : {};
  }

  /** Whether `fetch` sends the cookie: never with a token, for two credentials are refused. */
  get cookie(): RequestCredentials {
    return this.#tokens?.token ? "omit" : "same-origin";
  }
}

export const credential = new Credential();
