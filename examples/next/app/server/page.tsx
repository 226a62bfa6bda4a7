import type { Metadata } from "next";
import Link from "next/link";
import { listTasks, type Task } from "task-api-client";

import { connection } from "@/lib/session";
import { explain } from "@/lib/problems";

import { addTask, deleteOneTask, toggleTask } from "./actions";
import { ActionForm } from "./form";

export const metadata: Metadata = { title: "Server" };

export default async function Page({ searchParams }: PageProps<"/server">) {
  const { cursor } = await searchParams;
  return (
    <>
      <h1>From the server</h1>
      <p className="lead">
        A server component reads, server actions write. The browser never sees a token, and everything works
        without JavaScript.
      </p>
      <ActionForm className="add" action={addTask} label="Add">
        <input name="title" aria-label="New task" placeholder="What is to be done?" required />
      </ActionForm>
      <List {...(typeof cursor === "string" ? { cursor } : {})} />
    </>
  );
}

async function List(query: { cursor?: string }) {
  const api = await connection();
  const page = await listTasks(api, { limit: 20, ...query }).catch(explain);
  if (typeof page === "string") return <p role="alert">{page}</p>;
  return (
    <>
      <ul className="card" aria-label="Tasks">
        {page.tasks.map((task) => (
          <Item key={task.id} task={task} />
        ))}
        {page.tasks.length === 0 && <li className="empty">Nothing to do.</li>}
      </ul>
      {page.next && <Link href={{ query: { cursor: page.next } }}>Show more</Link>}
    </>
  );
}

function Item({ task }: { task: Task }) {
  // The version that the user sees: the change is for no other.
  const seen = { id: task.id, version: task.version };
  const { completed, title } = task;
  return (
    <li>
      <span className={completed ? "done" : undefined}>{title}</span>
      <ActionForm
        action={toggleTask.bind(null, seen, !completed)}
        label={completed ? "Reopen" : "Complete"}
        of={title}
      />
      <ActionForm action={deleteOneTask.bind(null, seen)} label="Delete" of={title} />
    </li>
  );
}
