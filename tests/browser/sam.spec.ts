// The gateway of `sam local` hides all headers from the page, so one page of the list is what it
// can show; everything else is as it is in the cloud.
import { expect, test } from "./people.js";

test("the page works with the functions in Lambda's containers", async ({ ann }) => {
  const app = await ann.open();
  await app.add("Buy milk");
  await app.saved("Buy milk");
  await app.edit("Buy milk", { title: "Buy oat milk", description: "Two litres" });
  await app.button("Save").click();
  await expect(app.task("Buy oat milk")).toBeVisible();
  await app.task("Buy oat milk").click();
  await expect
    .poll(() => ann.tasks())
    .toMatchObject([{ title: "Buy oat milk", description: "Two litres", completed: true }]);

  const other = await ann.open();
  await other.edit("Buy oat milk", { title: "Buy rice milk" });
  await app.edit("Buy oat milk", { title: "Buy bread" });
  await app.button("Save").click();
  await expect.poll(() => ann.titles()).toEqual(["Buy bread"]);
  await other.button("Save").click();
  await expect(other.conflict).toContainText("Buy bread");
  await other.button("Keep mine").click();
  await expect.poll(() => ann.titles()).toEqual(["Buy rice milk"]);

  await other.delete("Buy rice milk");
  await expect.poll(() => ann.titles()).toEqual([]);
});
