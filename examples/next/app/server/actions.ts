"use server";

import { revalidatePath } from "next/cache";
import { createTask, deleteTask, setCompleted, type Connection, type Version } from "task-api-client";

import { explain } from "@/lib/problems";
import { connection } from "@/lib/session";

// Anybody can call an action with anything: the API checks the values, and whose tasks they are.

export async function addTask(_: string | undefined, form: FormData) {
  return write((api) => createTask(api, { title: String(form.get("title")) }));
}

export async function toggleTask(task: Version, completed: boolean) {
  return write((api) => setCompleted(api, task, completed));
}

export async function deleteOneTask(task: Version) {
  return write((api) => deleteTask(api, task));
}

/** Writes and renders the page anew; returns what went wrong, in words. */
async function write(change: (api: Connection) => Promise<unknown>) {
  const api = await connection();
  const problem = await change(api).then(() => undefined, explain);
  revalidatePath("/server");
  return problem;
}
