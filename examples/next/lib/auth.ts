import { betterAuth } from "better-auth";
import { nextCookies } from "better-auth/next-js";
import { jwt } from "better-auth/plugins/jwt";
import { Pool } from "pg";

const { DATABASE_URL, TOKEN_LIFETIME = "15m" } = process.env;

/** Better Auth; it reads BETTER_AUTH_URL and BETTER_AUTH_SECRET itself. */
export const auth = betterAuth({
  database: new Pool({ connectionString: DATABASE_URL }),
  // instrumentation.ts sees to the tables.
  advanced: { database: { validateSchema: false } },
  emailAndPassword: { enabled: true },
  plugins: [
    // The API needs to know who it is, and nothing else about the user.
    jwt({ jwt: { expirationTime: TOKEN_LIFETIME, definePayload: () => ({}) } }),
    nextCookies(),
  ],
});
