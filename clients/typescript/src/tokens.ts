/** Where a token comes from. */
export interface Tokens {
  get(): Promise<string>;
  /** Asks for a new token next time, unless that has happened since this one was had. */
  forget(old?: Promise<string>): void;
}

/** Keeps a token until it is forgotten; whoever asks meanwhile waits for the same one. */
export function keeping(ask: () => Promise<string>): Tokens {
  let kept: Promise<string> | undefined;
  const forget = (old = kept) => {
    if (kept === old) kept = undefined;
  };
  const get = () => {
    const asked = (kept ??= ask());
    asked.catch(() => forget(asked));
    return asked;
  };
  return { get, forget };
}

/** The `sub` of a JWT (RFC 7519). It is not verified: the API does that. */
export function subjectOf(token: string): string {
  const [, payload, signature] = token.split(".");
  if (!payload || !signature) throw new SyntaxError("What token() yields is not a JWT");
  const base64 = payload.replace(/-/g, "+").replace(/_/g, "/");
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes)).sub;
}
