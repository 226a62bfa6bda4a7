import type { AddressInfo } from "node:net";

import { betterAuth, type BetterAuthOptions } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { jwt } from "better-auth/plugins/jwt";
import { Pool } from "pg";
import type { Plugin, PreviewServer, ViteDevServer } from "vite";

import type { Settings } from "./settings.ts";

/** Better Auth on the page's own origin, at `/api/auth`, as it is in a Next.js app. */
export function auth(settings: Settings): Plugin {
  const mount = async ({ httpServer, middlewares }: ViteDevServer | PreviewServer) => {
    const options = configure(settings);
    await (await getMigrations(options)).runMigrations();
    let handle: ReturnType<typeof toNodeHandler>;
    httpServer?.once("listening", () => {
      const { port } = httpServer.address() as AddressInfo;
      handle = toNodeHandler(betterAuth({ ...options, baseURL: `http://localhost:${port}` }));
    });
    middlewares.use((request, response, next) => {
      if (request.url?.startsWith("/api/auth/")) handle(request, response).catch(next);
      else next();
    });
  };
  return { name: "better-auth", configureServer: mount, configurePreviewServer: mount };
}

function configure({ databaseUrl, secret, tokenLifetime, signInsPerMinute }: Settings) {
  const attempts = { window: 60, max: signInsPerMinute };
  const database = new Pool({ connectionString: databaseUrl });
  // An idle connection that breaks is replaced when the next one is needed.
  database.on("error", () => undefined);
  return {
    database,
    secret,
    emailAndPassword: { enabled: true },
    plugins: [
      // The API needs the user's id, and nothing else.
      jwt({ jwt: { expirationTime: tokenLifetime, definePayload: () => ({}) } }),
    ],
    // Anybody can send another X-Forwarded-For with each request, so that no header is used.
    advanced: { ipAddress: { ipAddressHeaders: [] } },
    // Against guessed passwords. Without addresses it counts all requests together.
    rateLimit: {
      enabled: true,
      window: 10,
      max: 1000,
      customRules: { "/sign-in/*": attempts, "/sign-up/*": attempts },
    },
  } satisfies BetterAuthOptions;
}
