import { defineConfig } from "vitest/config";

// `make test-client` starts both servers.
const { API_URL: apiUrl = "", AUTH_URL: authUrl = "" } = process.env;

export default defineConfig({
  test: { include: ["tests/*.test.ts"], provide: { apiUrl, authUrl }, testTimeout: 30_000 },
});
