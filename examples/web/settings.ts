/** What the page's server is told through its environment. */
export interface Settings {
  /** The API's origin, as the browser sees it. */
  apiUrl: string;
  /** Where Better Auth keeps its users: the database of the tasks. */
  databaseUrl: string;
  /** What Better Auth signs its cookies and encrypts its keys with. */
  secret: string;
  /** Where to listen; 0 is any free port. */
  port: number;
  /** How long a token for the API is valid, as a time span. */
  tokenLifetime: string;
  /** How often a minute people may try to sign in or up, all together. */
  signInsPerMinute: number;
}

/** Reads the environment. Throws an error that names the variable which is missing or wrong. */
export function readSettings(environment: NodeJS.ProcessEnv): Settings {
  const required = (name: string) => {
    const value = environment[name];
    if (!value) throw new Error(`${name} must be set`);
    return value;
  };
  const port = Number(environment["PORT"] || 5173);
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new Error("PORT must be a number from 0 to 65535");
  }
  const apiUrl = required("API_URL");
  if (!URL.canParse(apiUrl)) throw new Error("API_URL must be an address such as http://host:8000");
  return {
    apiUrl: new URL(apiUrl).origin,
    databaseUrl: required("DATABASE_URL"),
    secret: required("BETTER_AUTH_SECRET"),
    port,
    tokenLifetime: environment["TOKEN_LIFETIME"] || "15m",
    signInsPerMinute: Number(environment["SIGN_INS_PER_MINUTE"] || 20),
  };
}
