import { inject } from "vitest";

/** Somebody who has signed up with Better Auth; yields new tokens of theirs. */
export async function signUp(): Promise<() => Promise<string>> {
  const email = `${crypto.randomUUID()}@example.com`;
  const user = { email, password: "correct horse", name: "Ann" };
  const signedUp = await fetch(`${AUTH_URL}/api/auth/sign-up/email`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Origin: AUTH_URL },
    body: JSON.stringify(user),
  });
  const session: string = (await signedUp.json()).token;
  return async () => {
    const headers = { Authorization: `Bearer ${session}` };
    const response = await fetch(`${AUTH_URL}/api/auth/token`, { headers });
    return (await response.json()).token;
  };
}

/** The same token with another signature. */
export function forged(token: string): string {
  const [header, payload] = token.split(".");
  return [header, payload, "A".repeat(86)].join(".");
}

const AUTH_URL = inject("authUrl");
export const API_URL = inject("apiUrl");

declare module "vitest" {
  interface ProvidedContext {
    apiUrl: string;
    authUrl: string;
  }
}
