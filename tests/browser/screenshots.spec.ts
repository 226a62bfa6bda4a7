import { statSync, writeFileSync } from "node:fs";

import type { Page } from "@playwright/test";

import { Film } from "./film.js";
import { picture } from "./figures.js";
import { expect, test } from "./people.js";

const DESKTOP = { width: 960, height: 640 };
const PHONE = { width: 390, height: 700 };
const TOUCH = { hasTouch: true, isMobile: true };
const FILM = { width: 720, height: 520 };
const LARGEST = 150_000; // bytes
const LARGEST_FILM = 600_000;

const TASKS = [
  { title: "Water the plants", description: "Not the cactus" },
  { title: "Call the dentist", completed: true },
  { title: "Book a table for Friday", description: "Six of us, near the window" },
  { title: "Return the library books", completed: true },
  { title: "Buy oat milk" },
];

/** `make screenshots` says where the pictures go that the README shows. */
const file = (name: string) => picture(name) ?? test.info().outputPath(name);

for (const [name, colorScheme, viewport, device] of [
  ["page-light", "light", DESKTOP, {}],
  ["page-dark", "dark", DESKTOP, {}],
  ["page-phone", "light", PHONE, TOUCH],
] as const) {
  test.describe(name, () => {
    test.use({ colorScheme, viewport, deviceScaleFactor: 2, ...device });

    test("a picture of the page", async ({ ann }) => {
      for (const task of TASKS) await ann.create(task);
      const { page, items } = await ann.open();
      await expect(items).toHaveCount(TASKS.length);
      const path = file(`${name}.png`);
      await page.screenshot({ path, animations: "disabled" });
      expect(statSync(path).size).toBeLessThan(LARGEST);
    });
  });
}

test.describe("in use", () => {
  test.use({ viewport: FILM, colorScheme: "light", reducedMotion: "reduce" });

  test("an animated picture of the page", async ({ ann }) => {
    const app = await ann.open();
    const { keyboard } = app.page;
    const film = new Film(app.page);
    const show = (seconds: number) => film.take(seconds);

    await show(1.2);
    for (const title of ["Call the dentist", "Book a table", "Buy oat milk"]) {
      await keyboard.press("n");
      await type(app.page, title, film);
      await keyboard.press("Enter");
      await app.saved(title);
      await keyboard.press("Escape");
      await show(0.4);
    }
    await keyboard.press("End");
    await keyboard.press("x");
    await show(1.2);
    await keyboard.press("ArrowUp");
    await keyboard.press("e");
    await show(0.5);
    await type(app.page, " for Friday", film);
    await keyboard.press("Enter");
    await keyboard.press("Escape");
    await show(0.8);
    await keyboard.press("ArrowUp");
    await keyboard.press("Shift+ArrowDown");
    await show(0.8);
    await keyboard.press("Delete");
    await show(1.2);
    await keyboard.press("ControlOrMeta+z");
    await show(1);
    await ann.context.setOffline(true);
    await keyboard.press("n");
    await type(app.page, "Water the plants", film);
    await keyboard.press("Enter");
    await expect(app.status).toContainText([/^Saved on this device/]);
    await show(1.5);
    await ann.context.setOffline(false);
    await app.saved("Water the plants");
    await show(2);

    const path = file("page.gif");
    writeFileSync(path, film.gif());
    expect(statSync(path).size).toBeLessThan(LARGEST_FILM);
  });
});

async function type({ keyboard }: Page, text: string, film: Film): Promise<void> {
  for (const part of text.match(/.{1,3}/g) ?? []) {
    await keyboard.type(part);
    await film.take(0.12);
  }
}
