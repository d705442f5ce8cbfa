/** What the page's own requests carry beside the cookie: the access token of this tab, if any. */

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
}

export const credential = new Credential();
