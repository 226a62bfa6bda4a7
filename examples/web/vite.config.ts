import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

import { auth } from "./auth.ts";
import { readSettings } from "./settings.ts";

const settings = readSettings(process.env);

/** On loopback, under one name, for this page alone. */
const listen = { host: "127.0.0.1", port: settings.port, strictPort: true, cors: false };

const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  `connect-src 'self' ${settings.apiUrl}`,
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

export default defineConfig({
  plugins: [react(), auth(settings)],
  define: { "import.meta.env.API_URL": JSON.stringify(settings.apiUrl) },
  logLevel: "warn",
  server: { ...listen, fs: { allow: [".", "../../clients/typescript"] } },
  preview: {
    ...listen,
    headers: {
      "Content-Security-Policy": contentSecurityPolicy,
      "Referrer-Policy": "no-referrer",
      "X-Content-Type-Options": "nosniff",
    },
  },
});
