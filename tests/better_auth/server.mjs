// A real Better Auth server for tests: in memory, on loopback only, gone with its parent.
//
//   node server.mjs '{"algorithm": "ES256", "ids": "uuid"}'
//
// It prints {"url": …} once it listens and exits when its standard input ends. Only /__test__/ and
// the faults of the key set are ours; every other response is Better Auth's own.
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";

import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { toNodeHandler } from "better-auth/node";
import { bearer } from "better-auth/plugins/bearer";
import { jwt } from "better-auth/plugins/jwt";

const JWKS_PATH = "/api/auth/jwks";

const options = {
  port: 0,
  base_url: null, // null: the address it listens on
  algorithm: "EdDSA", // or ES256, ES512, RS256, PS256
  ids: "default", // or uuid, serial
  lifetime: "15m", // of a token; "-1m" makes expired ones
  audience: null, // a string or a list; null: Better Auth's default, the origin of base_url
  session_cache: false, // session-cache cookies, signed with the key of the tokens
  rate_limit: false,
  ...JSON.parse(process.argv[2] ?? "{}"),
};

const server = createServer();
server.listen(options.port, "127.0.0.1", () => {
  const url = `http://127.0.0.1:${server.address().port}`;
  server.on("request", route(createAuth(options.base_url ?? url)));
  console.log(JSON.stringify({ url }));
});
process.stdin.on("end", () => process.exit()).resume();

function createAuth(baseURL) {
  const tables = ["user", "session", "account", "verification", "jwks"];
  return betterAuth({
    baseURL,
    secret: randomBytes(32).toString("base64url"),
    database: memoryAdapter(Object.fromEntries(tables.map((table) => [table, []]))),
    advanced: { database: { generateId: options.ids === "default" ? undefined : options.ids } },
    emailAndPassword: { enabled: true },
    session: { cookieCache: { enabled: options.session_cache, strategy: "jwt" } },
    rateLimit: { enabled: options.rate_limit },
    logger: { log: (level, message, ...details) => console.error(level, message, ...details) },
    plugins: [
      bearer(),
      jwt({
        jwks: { keyPairConfig: { alg: options.algorithm } },
        jwt: { expirationTime: options.lifetime, audience: options.audience ?? undefined },
        sessionCookieCache: options.session_cache,
      }),
    ],
  });
}

function route(auth) {
  const betterAuth = toNodeHandler(auth);
  let fault = null;
  let requests = 0;

  const controls = {
    "GET /__test__/jwks": () => ({ requests }),
    "POST /__test__/jwks/normal": () => {
      fault = null;
    },
    // What the end of a rotation interval does: the next token makes the next key, and the old one
    // stays in the key set for its grace period.
    "POST /__test__/rotate": async () => {
      const { adapter } = await auth.$context;
      await adapter.updateMany({ model: "jwks", where: [], update: { expiresAt: new Date() } });
    },
  };
  for (const [mode, respond] of Object.entries(faults)) {
    controls[`POST /__test__/jwks/${mode}`] = (query) => {
      fault = (response, keySet) => respond(response, keySet, query);
    };
  }

  return async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, "http://127.0.0.1");
    const control = controls[`${request.method} ${pathname}`];
    if (control) {
      send(response, 200, JSON.stringify((await control(searchParams)) ?? {}));
      return;
    }
    if (pathname === JWKS_PATH) {
      requests += 1;
      if (fault && !searchParams.has("redirected")) {
        fault(response, JSON.stringify(await auth.api.getJwks()));
        return;
      }
    }
    await betterAuth(request, response);
  };
}

function send(response, status, body, headers = {}) {
  response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(body);
}

// Each starts from the valid key set, so that tokens are still accepted by a verifier that does not notice.
const faults = {
  hang: () => {},
  reset: (response) => response.destroy(),
  error: (response, keySet) => send(response, 500, keySet),
  limited: (response, keySet, query) =>
    send(response, 429, keySet, { "Retry-After": query.get("retry_after") }),
  redirect: (response) => send(response, 302, "", { Location: `${JWKS_PATH}?redirected` }),
  html: (response) =>
    send(response, 200, "<!doctype html><title>Sign in</title>", { "Content-Type": "text/html" }),
  empty: (response) => send(response, 200, ""),
  huge: (response, keySet) => send(response, 200, keySet + " ".repeat(8 * 1024 * 1024)),
  half: (response, keySet) => {
    response.writeHead(200, {
      "Content-Type": "application/json",
      "Content-Length": Buffer.byteLength(keySet),
    });
    response.write(keySet.slice(0, keySet.length / 2), () => response.destroy());
  },
  drip: (response, keySet) => {
    response.writeHead(200, { "Content-Type": "application/json" });
    const bytes = keySet[Symbol.iterator]();
    const timer = setInterval(() => {
      const { value, done } = bytes.next();
      if (done) response.end();
      else response.write(value);
    }, 100);
    response.on("close", () => clearInterval(timer));
  },
};
