import { statSync } from "node:fs";
import { join, resolve } from "node:path";

import { expect, test } from "./people.js";

const DESKTOP = { width: 960, height: 640 };
const PHONE = { width: 390, height: 700 };
const LARGEST = 150_000; // bytes

const TASKS = [
  { title: "Water the plants", description: "Not the cactus" },
  { title: "Call the dentist", completed: true },
  { title: "Book a table for Friday", description: "Six of us, near the window" },
  { title: "Return the library books", completed: true },
  { title: "Buy oat milk" },
];

/** `make screenshots` says where the pictures go that the README shows. */
function file(name: string): string {
  const { SCREENSHOTS } = process.env;
  return SCREENSHOTS
    ? join(resolve("../.."), SCREENSHOTS, `${name}.png`)
    : test.info().outputPath(`${name}.png`);
}

for (const [name, colorScheme, viewport] of [
  ["page-light", "light", DESKTOP],
  ["page-dark", "dark", DESKTOP],
  ["page-phone", "light", PHONE],
] as const) {
  test.describe(name, () => {
    test.use({ colorScheme, viewport, deviceScaleFactor: 2 });

    test("a picture of the page", async ({ ann }) => {
      for (const task of TASKS) await ann.create(task);
      const { page, items } = await ann.open();
      await expect(items).toHaveCount(TASKS.length);
      const path = file(name);
      await page.screenshot({ path, animations: "disabled" });
      expect(statSync(path).size).toBeLessThan(LARGEST);
    });
  });
}
