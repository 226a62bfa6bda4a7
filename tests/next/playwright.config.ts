import { defineConfig } from "@playwright/test";

const { CHROMIUM = "chromium", PAGE_URL = "" } = process.env;

export default defineConfig({
  testDir: ".",
  outputDir: "../../.local/next-browser",
  fullyParallel: true,
  forbidOnly: true,
  workers: 2,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: [["list"]],
  use: {
    baseURL: PAGE_URL,
    launchOptions: { executablePath: CHROMIUM },
    trace: "retain-on-failure",
  },
  projects: [
    { name: "pages", testMatch: "pages.spec.ts" },
    // Alone: what it does to the API, all others would notice.
    { name: "outage", testMatch: "outage.spec.ts", dependencies: ["pages"], fullyParallel: false },
    { name: "document", testMatch: "document.spec.ts" },
  ],
});
