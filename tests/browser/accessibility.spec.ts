import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import type { Page } from "@playwright/test";
import type { AxeResults } from "axe-core";

import { App } from "./app.js";
import { API_URL, conflict, expect, test } from "./people.js";

declare const axe: { run(): Promise<AxeResults> };

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PHONE = { width: 360, height: 740 };

const DESKTOP = { width: 1280, height: 800 };

/** No violation that axe finds, in light and dark, and nothing to scroll to sideways. */
async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(AXE);
  for (const viewport of [PHONE, DESKTOP]) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      // While a colour changes, its contrast is neither of the two that were chosen.
      await expect.poll(() => page.evaluate(() => document.getAnimations().length)).toBe(0);
      const { violations } = await page.evaluate(() => axe.run());
      const found = violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]);
      expect(found, `${colorScheme}, ${viewport.width} pixels`).toEqual([]);
    }
    const sideways = await page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.documentElement;
      return scrollWidth - clientWidth;
    });
    expect(sideways, "pixels to scroll sideways").toBe(0);
  }
}

test.describe("is accessible and fits a phone:", () => {
  test("signing in", async ({ page }) => {
    const app = new App(page);
    await page.goto("/");
    await expect(app.button("Sign in")).toBeVisible();
    await expectAccessible(page);
    await app.signIn("nobody@example.com", "not the password");
    await expect(app.alert).toBeVisible();
    await expectAccessible(page);
    await app.button("Create an account instead").click();
    await expectAccessible(page);
  });

  test("an empty list", async ({ ann }) => {
    const { page } = await ann.open();
    await expectAccessible(page);
  });

  test("a list, an editor, a selection, the keys and a toast", async ({ ann }) => {
    await ann.create({ title: "Buy milk", description: "Two litres", completed: true });
    await ann.create({ title: "Long".repeat(60), description: "Long".repeat(200) });
    await ann.create({ title: "Call Bob" });
    const app = await ann.open();
    await expectAccessible(app.page);
    await app.edit("Buy milk", { title: "Buy oat milk" });
    await expectAccessible(app.page);
    await app.button("Cancel").click();
    await app.title("Buy milk").click({ modifiers: ["Shift"] });
    await expect(app.page.getByRole("group", { name: "Selection" })).toBeVisible();
    await expectAccessible(app.page);
    await app.page.keyboard.press("?");
    await expectAccessible(app.page);
    await app.page.keyboard.press("Escape");
    await app.delete("Call Bob");
    await expect(app.button("Undo")).toBeVisible();
    await expectAccessible(app.page);
  });

  test("an error, and an outage", async ({ ann }) => {
    const app = await ann.open();
    await app.page.route(`${API_URL}/**`, (route) => route.abort());
    await app.add("Buy milk");
    await expect(app.status).toContainText(["Saved on this device, will be sent."]);
    await expectAccessible(app.page);
    await app.page.unrouteAll();
    await app.page.route(`${API_URL}/**`, (route) => route.fulfill({ status: 500 }));
    await app.add("Buy bread");
    await expect(app.alert).toBeVisible();
    await expectAccessible(app.page);
  });

  test("a conflict", async ({ ann }) => {
    const { page } = await conflict(ann);
    await expectAccessible(page);
  });
});
