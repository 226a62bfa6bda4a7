import { betterAuth } from "better-auth";
import { nextCookies } from "better-auth/next-js";
import { jwt } from "better-auth/plugins/jwt";
import { Pool } from "pg";

const { DATABASE_URL, SIGN_INS_PER_MINUTE = "20", TOKEN_LIFETIME = "15m" } = process.env;
const attempts = { window: 60, max: Number(SIGN_INS_PER_MINUTE) };

/** Better Auth; it reads BETTER_AUTH_URL and BETTER_AUTH_SECRET itself. */
export const auth = betterAuth({
  database: new Pool({ connectionString: DATABASE_URL }),
  advanced: {
    // instrumentation.ts sees to the tables.
    database: { validateSchema: false },
    // Anybody can send an X-Forwarded-For. Name the header here in which your proxy says the address;
    // without one all users share the limits.
    ipAddress: { ipAddressHeaders: [] },
  },
  emailAndPassword: { enabled: true },
  // Against guessed passwords; its default is to be on in production only.
  rateLimit: {
    enabled: true,
    window: 10,
    max: 1000,
    customRules: { "/sign-in/*": attempts, "/sign-up/*": attempts },
  },
  plugins: [
    // The API needs the user's id, and nothing else.
    jwt({ jwt: { expirationTime: TOKEN_LIFETIME, definePayload: () => ({}) } }),
    nextCookies(),
  ],
});
