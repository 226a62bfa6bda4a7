import type { Page } from "@playwright/test";

import { expect, test } from "./people.js";

test("the list is filtered and sorted", async ({ ann }) => {
  await ann.create({ title: "Banana", completed: true });
  await ann.create({ title: "Cherry" });
  await ann.create({ title: "Apple" });
  const app = await ann.open();
  const shown = (titles: string[]) => expect.poll(() => app.titles()).toEqual(titles);
  await shown(["Apple", "Cherry", "Banana"]);

  await app.sortBy.selectOption("Oldest first");
  await shown(["Banana", "Cherry", "Apple"]);
  await app.sortBy.selectOption("Title A–Z");
  await shown(["Apple", "Banana", "Cherry"]);
  await app.sortBy.selectOption("Title Z–A");
  await shown(["Cherry", "Banana", "Apple"]);

  await app.filter("Done").check();
  await shown(["Banana"]);
  await app.filter("Open").check();
  await shown(["Cherry", "Apple"]);
  await app.filter("All").check();
  await shown(["Cherry", "Banana", "Apple"]);
});

test("filter and sort are in the address: a reload keeps them, Back goes back", async ({ ann }) => {
  await ann.create({ title: "Apple", completed: true });
  await ann.create({ title: "Banana" });
  await ann.create({ title: "Cherry", completed: true });
  const app = await ann.open();
  await app.sortBy.selectOption("Title Z–A");
  await app.filter("Done").check();
  await expect(app.page).toHaveURL(/\?show=done&sort=-title$/);
  await app.page.reload();
  await expect.poll(() => app.titles()).toEqual(["Cherry", "Apple"]);
  await expect(app.filter("Done")).toBeChecked();
  await app.page.goBack();
  await expect.poll(() => app.titles()).toEqual(["Cherry", "Banana", "Apple"]);
  await expect(app.filter("All")).toBeChecked();
});

test("the filters say how many tasks they have", async ({ ann }) => {
  await ann.create({ title: "Apple", completed: true });
  await ann.create({ title: "Banana" });
  const app = await ann.open();
  const counts = app.page.getByRole("radiogroup", { name: "Show" });
  await expect(counts).toHaveText("All 2Open 1Done 1");
  await app.task("Banana").click();
  await expect(counts).toHaveText("All 2Open 0Done 2");
  await app.add("Cherry");
  await expect(counts).toHaveText("All 3Open 1Done 2");
  await app.delete("Apple");
  await expect(counts).toHaveText("All 2Open 1Done 1");
  await app.button("Undo").click();
  await expect(app.page.getByText("3 tasks", { exact: true })).toBeVisible();
});

test("a search finds words in titles and descriptions", async ({ ann }) => {
  await ann.create({ title: "Buy milk", description: "Two LITRES" });
  await ann.create({ title: "Buy bread" });
  const app = await ann.open();
  await app.search.fill("litres buy");
  await expect.poll(() => app.titles()).toEqual(["Buy milk"]);
  await expect(app.page.getByText("1 of 2 tasks")).toBeVisible();
  await app.search.fill("cheese");
  await expect(app.page.getByText("No task has these words.")).toBeVisible();
  await app.search.press("Escape");
  await expect.poll(() => app.titles()).toEqual(["Buy bread", "Buy milk"]);
});

test("dates are relative where one sorts by them, exact on hover", async ({ ann }) => {
  await ann.create({ title: "Buy milk" });
  const app = await ann.open();
  await app.page.clock.install();
  await app.page.reload();
  const date = app.items.getByRole("time");
  await expect(date).toHaveText("just now");
  await app.page.clock.fastForward("03:05:00");
  await expect(date).toHaveText("3 hours ago");
  await expect(date).toHaveAttribute("title", /^\w+day, \w+ \d+, \d{4} at \d+:\d\d/);
  await app.sortBy.selectOption("Title A–Z");
  await expect(date).toHaveCount(0);
});

/** Scrolls on by less than what is in sight; the titles that are on the page then. */
function scrolled(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    scrollBy({ top: 400, behavior: "instant" });
    for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
    return Array.from(document.querySelectorAll(".title"), ({ textContent }) => textContent ?? "");
  });
}

test("510 tasks scroll by without a gap, of which few are on the page", async ({ ann }) => {
  const titles = await ann.createMany(510);
  const app = await ann.open();
  await ann.create({ title: "Nobody waits for this one" });
  const seen = new Set(await app.titles());
  await expect(async () => {
    for (const title of await scrolled(app.page)) seen.add(title);
    expect(await app.items.count()).toBeLessThan(60);
    expect(seen.size).toBe(titles.length);
  }).toPass({ intervals: [50], timeout: 50_000 });
  expect([...seen]).toEqual(titles.reverse());
  await expect(app.page.getByText("510 tasks", { exact: true })).toBeVisible();
});

test("a search says where not all is loaded, and loads it on demand", async ({ ann }) => {
  await ann.createMany(510);
  const app = await ann.open();
  await expect(app.filter("All")).toHaveAccessibleName("All 500+");
  await app.search.fill("Task 5");
  await expect(app.page.getByText(/^\d+ of the 500 tasks loaded so far$/)).toBeVisible();
  await app.button("Search all tasks").click();
  await expect(app.page.getByText("106 of 510 tasks")).toBeVisible();
  await expect(app.filter("All")).toHaveAccessibleName("All 510");
  await app.filter("Done").check();
  await expect(app.items).toHaveCount(0);
});
