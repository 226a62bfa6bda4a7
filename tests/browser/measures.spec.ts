// What the page weighs, what Lighthouse says of it, and how its longest list scrolls. Nothing here
// depends on the time but Lighthouse's score, which counts with a slow phone of its own.
import { createServer } from "node:net";
import { gzipSync } from "node:zlib";

import { chromium, type Route } from "@playwright/test";
import lighthouse from "lighthouse";

import { quote } from "./figures.js";
import { Account, API_URL, CHROMIUM, expect, PAGE_URL, test } from "./people.js";

const MOST_JAVASCRIPT = 120_000; // bytes of gzip
const LEAST_SCORE = 95;
const LONGEST = 10_000; // tasks: more than that the API grants nobody
const MOST_ROWS = 60;
const FRAMES = 240;

test("all the JavaScript that is sent is at most 120 kB, and it is sent compressed", async ({
  ann,
}) => {
  const scripts = new Map([["/sw.js", ann.context.request.get("/sw.js")]]);
  ann.context.on("response", (response) => {
    const { pathname } = new URL(response.url());
    if (response.request().resourceType() !== "script") return;
    scripts.set(pathname, ann.context.request.get(pathname));
  });
  await ann.open();
  expect(scripts.size).toBeGreaterThan(2);
  let size = 0;
  for (const [path, answered] of scripts) {
    const response = await answered;
    const body = await response.body();
    if (body.length > 2_000) expect(response.headers(), path).toHaveProperty("content-encoding");
    size += gzipSync(body).length;
  }
  expect(size).toBeLessThanOrEqual(MOST_JAVASCRIPT);
  quote("page-size", `${Math.round(size / 1000)} kB`);
});

test.describe("Lighthouse", () => {
  test.describe.configure({ retries: 2 }); // a machine may be busy

  test("gives the page at least 95 of 100 points", async () => {
    const port = await freePort();
    const context = await chromium.launchPersistentContext(test.info().outputPath("profile"), {
      executablePath: CHROMIUM,
      baseURL: PAGE_URL,
      args: [`--remote-debugging-port=${port}`],
    });
    const user = new Account("Ann", context);
    await user.signUp();
    for (const title of ["Buy milk", "Call Bob"]) await user.create({ title });
    const run = await lighthouse(PAGE_URL, {
      port,
      disableStorageReset: true, // the user stays signed in
      onlyCategories: ["performance", "accessibility", "best-practices"],
      logLevel: "error",
    });
    await context.close();
    expect(run?.lhr.runtimeError).toBeUndefined();
    const points = Object.entries(run?.lhr.categories ?? {}).map(
      ([name, { score }]) => [name, Math.round((score ?? 0) * 100)] as const,
    );
    expect(points).toHaveLength(3);
    for (const [name, score] of points) expect(score, name).toBeGreaterThanOrEqual(LEAST_SCORE);
    quote("page-points", points.map(([, score]) => score).join(", "));
  });
});

/** Answers a list as the API does, from more tasks than it would be quick to create. */
async function answerList(route: Route): Promise<void> {
  if (route.request().method() !== "GET") return route.fallback();
  const { searchParams } = new URL(route.request().url());
  const [limit, start] = [Number(searchParams.get("limit")), Number(searchParams.get("cursor"))];
  const at = "2026-01-01T00:00:00Z";
  const tasks = Array.from({ length: limit }, (_, index) => ({
    id: LONGEST - start - index,
    user_id: "ann",
    title: `Task ${LONGEST - start - index}`,
    description: index % 3 ? null : "With a description",
    completed: index % 5 === 0,
    created_at: at,
    updated_at: at,
    version: 1,
  }));
  const next =
    start + limit < LONGEST ? { Link: `</tasks?cursor=${start + limit}>; rel="next"` } : {};
  const headers = {
    "Access-Control-Allow-Origin": new URL(PAGE_URL).origin,
    "Access-Control-Expose-Headers": "Link",
    ...next,
  };
  await route.fulfill({ json: tasks, headers });
}

test("10,000 tasks scroll by: few of them are on the page, which is hardly ever blank", async ({
  ann,
}) => {
  await ann.context.route(`${API_URL}/**`, answerList);
  const app = await ann.open();
  await app.search.fill("task");
  await app.button("Search all tasks").click();
  await expect(app.page.getByText("10,000 of 10,000 tasks")).toBeVisible();
  await app.search.fill("");
  await app.page.evaluate(() => scrollTo({ top: 1_000, behavior: "instant" }));
  await expect(app.items.first()).not.toHaveAttribute("aria-posinset", "1");

  const { rows, blank, rate } = await app.page.evaluate(async (frames) => {
    let [rows, blank] = [0, 0];
    const begun = performance.now();
    for (let frame = 0; frame < frames; frame++) {
      scrollBy({ top: 150, behavior: "instant" });
      await new Promise(requestAnimationFrame);
      const places = Array.from(document.querySelectorAll(".task"), (row) =>
        row.getBoundingClientRect(),
      );
      rows = Math.max(rows, places.length);
      const [first, last] = [places[0], places.at(-1)];
      if (!first || !last || first.top > 200 || last.bottom < innerHeight) blank++;
    }
    return { rows, blank, rate: (frames * 1000) / (performance.now() - begun) };
  }, FRAMES);
  expect(rows).toBeLessThan(MOST_ROWS);
  expect(blank).toBeLessThan(FRAMES / 50);
  quote("page-frames", `${Math.round(rate)}`);

  await app
    .task(/^Task 9\d{3}$/)
    .first()
    .focus();
  await app.page.keyboard.press("End");
  await expect(app.task("Task 1")).toBeFocused();
  await app.page.keyboard.press("Home");
  await expect(app.task("Task 10000")).toBeFocused();
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
