import { defineConfig } from "@playwright/test";

const { CHROMIUM = "chromium", PAGE_URL = "" } = process.env;

export default defineConfig({
  testDir: ".",
  outputDir: "../../.local/browser",
  fullyParallel: true,
  forbidOnly: true,
  workers: 3, // on two cores: pages wait a lot
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: [["list"]],
  use: {
    baseURL: PAGE_URL,
    launchOptions: { executablePath: CHROMIUM },
    serviceWorkers: "block", // else requests of a page might be out of the tests' reach
    viewport: { width: 1280, height: 800 },
    trace: "retain-on-failure",
  },
  projects: [
    { name: "page", testIgnore: ["measures.spec.ts", "sam.spec.ts", "next/**"] },
    { name: "measures", testMatch: "measures.spec.ts", fullyParallel: false },
    { name: "sam", testMatch: "sam.spec.ts" },
    { name: "next", testMatch: "next/pages.spec.ts" },
    // Alone: what it does to the API, all others would notice.
    {
      name: "next-outage",
      testMatch: "next/outage.spec.ts",
      dependencies: ["next"],
      fullyParallel: false,
    },
  ],
});
