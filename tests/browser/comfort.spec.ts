import { expect, PASSWORD, test } from "./people.js";

const PHONE = { width: 390, height: 740 };

test("the first visit shows what one can do, and the page speaks plain English", async ({
  ann,
}) => {
  const app = await ann.open();
  const welcome = app.page.getByRole("heading", { name: "Three things you can do here" });
  await expect(welcome).toBeVisible();
  await expect(
    app.page.getByRole("listitem").filter({ hasText: /^(Add|Complete|Change)\./ }),
  ).toHaveCount(3);
  await expect(app.newTask).toHaveAttribute("placeholder", "What needs doing?");
  await app.add("Buy milk");
  await expect(welcome).toBeHidden();
  await expect(app.page.getByText("1 task", { exact: true })).toBeVisible();
});

test("the focus is in the field to add after signing in", async ({ ann }) => {
  const app = await ann.open();
  await app.button("Sign out").click();
  await app.signIn(ann.email, PASSWORD);
  await expect(app.newTask).toBeFocused();
});

test("the field to add stays in reach while one scrolls", async ({ ann }) => {
  for (let count = 0; count < 20; count++) await ann.create({ title: `Task ${count}` });
  const app = await ann.open();
  await expect(app.page.getByText("20 tasks", { exact: true })).toBeVisible();
  await app.page.keyboard.press("ArrowUp");
  await app.page.keyboard.press("End");
  await expect(app.task("Task 0")).toBeFocused();
  await expect.poll(() => app.page.evaluate(() => scrollY)).toBeGreaterThan(100);
  await expect(app.newTask).toBeInViewport();
  // What has the focus is not under the field.
  for (let row = 0; row < 19; row++) await app.page.keyboard.press("ArrowUp");
  const [field, task] = [await app.sortBy.boundingBox(), await app.task("Task 19").boundingBox()];
  expect(task!.y).toBeGreaterThan(field!.y + field!.height);
});

test("pencil and bin appear on hover and on focus", async ({ ann }) => {
  for (const title of ["Buy milk", "Call Bob"]) await ann.create({ title });
  const app = await ann.open();
  const pencil = app.button("Edit Call Bob");
  await expect(pencil).toHaveCSS("opacity", "0");
  await app.title("Call Bob").hover();
  await expect(pencil).toHaveCSS("opacity", "1");
  await app.title("Buy milk").hover();
  await expect(pencil).toHaveCSS("opacity", "0");
  await app.task("Call Bob").focus();
  await expect(pencil).toHaveCSS("opacity", "1");
});

test.describe("on a phone", () => {
  test.use({ hasTouch: true, isMobile: true, viewport: PHONE });

  test("pencil and bin are always there, and large enough for a finger", async ({ ann }) => {
    await ann.create({ title: "Buy milk" });
    const app = await ann.open();
    const [pencil, bin] = [app.button("Edit Buy milk"), app.button("Delete Buy milk")];
    for (const button of [pencil, bin]) {
      await expect(button).toHaveCSS("opacity", "1");
      const { width = 0, height = 0 } = (await button.boundingBox()) ?? {};
      expect(Math.min(width, height)).toBeGreaterThanOrEqual(44);
    }
    await bin.tap();
    await app.button("Undo").tap();
    await app.title("Buy milk").tap();
    await app.textbox("Title").fill("Buy oat milk");
    await app.button("Save").tap();
    await expect.poll(() => ann.titles()).toEqual(["Buy oat milk"]);
  });
});

test("nothing moves for who wants that reduced", async ({ ann }) => {
  await ann.create({ title: "Buy milk" });
  const app = await ann.open();
  await app.page.emulateMedia({ reducedMotion: "reduce" });
  await app.delete("Buy milk");
  await expect(app.button("Undo")).toBeVisible();
  expect(await app.page.evaluate(() => document.getAnimations().length)).toBe(0);
});

/** How much two colours differ (WCAG 2): 1 is not at all, 21 is black and white. */
function contrast(...colours: string[]): number {
  const [dark = 0, light = 0] = colours
    .map((colour) => {
      const [r = 0, g = 0, b = 0] = (colour.match(/[\d.]+/g) ?? []).map((part) => {
        const value = Number(part) / 255;
        return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    })
    .sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

for (const colorScheme of ["light", "dark"] as const) {
  test(`who wants more contrast gets it, ${colorScheme}`, async ({ ann }) => {
    await ann.create({ title: "Buy milk", description: "Two litres" });
    const app = await ann.open();
    await app.page.emulateMedia({ colorScheme, contrast: "more" });
    const colours = await app.list.getByText("Two litres").evaluate((text) => {
      const list = text.closest("ul")!;
      return [getComputedStyle(text).color, getComputedStyle(list).backgroundColor];
    });
    expect(contrast(...colours)).toBeGreaterThan(7);
    await expect(app.button("Edit Buy milk")).toHaveCSS("opacity", "1");
  });
}

test("with the system's own colours a selection and a filter are still seen", async ({ ann }) => {
  await ann.create({ title: "Buy milk" });
  const app = await ann.open();
  await app.page.emulateMedia({ forcedColors: "active" });
  await app.title("Buy milk").click({ modifiers: ["Shift"] });
  await expect(app.list.locator(".row")).toHaveCSS("outline-style", "solid");
  await expect(app.page.locator(".segments label", { hasText: "All" })).toHaveCSS(
    "outline-style",
    "solid",
  );
});

test("at a zoom of 200 % everything is there, and nothing scrolls sideways", async ({ ann }) => {
  for (let count = 0; count < 10; count++) await ann.create({ title: `Task ${count}` });
  const app = await ann.open();
  await expect(app.page.getByText("10 tasks", { exact: true })).toBeVisible();
  await app.page.setViewportSize({ width: 640, height: 400 }); // of 1280 × 800
  const sideways = () => app.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(await sideways()).toBe(0);
  for (const control of [app.newTask, app.filter("Done"), app.search, app.sortBy]) {
    await control.scrollIntoViewIfNeeded();
    await expect(control).toBeInViewport();
  }
  await app.page.keyboard.press("Escape");
  await app.task("Task 9").focus();
  await app.page.keyboard.press("End");
  await app.task("Task 0").click();
  await expect(app.task("Task 0")).toBeChecked();
});
