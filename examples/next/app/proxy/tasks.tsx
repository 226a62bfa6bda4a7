"use client";

import { useCallback, useEffect, useState, type FormEvent } from "react";
import { randomUUID, type Problem, type Task } from "task-api-client";

export function Tasks() {
  const [tasks, setTasks] = useState<Task[]>();
  const [next, setNext] = useState<string>();
  const [problem, setProblem] = useState<string>();
  const [title, setTitle] = useState("");

  /** Does something, and says what went wrong. */
  const attempt = useCallback(async (what: () => Promise<void>) => {
    setProblem(undefined);
    await what().catch((error: Error) => setProblem(error.message));
  }, []);

  const load = useCallback(async () => {
    const response = await send("GET", "?limit=20");
    setTasks(await response.json());
    setNext(nextPage(response));
  }, []);

  useEffect(() => void attempt(load), [attempt, load]);

  const add = (event: FormEvent) => {
    event.preventDefault();
    void attempt(async () => {
      await send("POST", "", { "Idempotency-Key": randomUUID() }, { title });
      setTitle("");
      await load();
    });
  };

  const write = (method: string, path: string, { version }: Task, body?: object) =>
    attempt(async () => {
      // What the user saw is not there any more after a 412, so the list is loaded in any case.
      await send(method, path, { "If-Match": `"${version}"` }, body).finally(load);
    });

  const more = () =>
    attempt(async () => {
      const response = await send("GET", next!);
      const page: Task[] = await response.json();
      setTasks((shown = []) => [...shown, ...page]);
      setNext(nextPage(response));
    });

  return (
    <>
      <form className="add" onSubmit={add}>
        <input
          aria-label="New task"
          placeholder="What is to be done?"
          value={title}
          onChange={(event) => setTitle(event.target.value)}
          required
        />
        <button className="primary">Add</button>
      </form>
      {problem && (
        <p role="alert">
          {problem} <button onClick={() => attempt(load)}>Try again</button>
        </p>
      )}
      <ul className="card" aria-label="Tasks" aria-busy={!tasks}>
        {tasks?.map((task) => (
          <li key={task.id}>
            <label>
              <input
                type="checkbox"
                checked={task.completed}
                onChange={() => write("PATCH", `/${task.id}/complete`, task, { completed: !task.completed })}
              />
              <span>{task.title}</span>
            </label>
            <button
              className="quiet"
              aria-label={`Delete ${task.title}`}
              onClick={() => write("DELETE", `/${task.id}`, task)}
            >
              Delete
            </button>
          </li>
        ))}
        {tasks?.length === 0 && <li className="empty">Nothing to do.</li>}
      </ul>
      {next && <button onClick={more}>Show more</button>}
    </>
  );
}

/** Sends to the route handler. Throws an error to show where that refuses. */
async function send(method: string, path: string, headers: Record<string, string> = {}, body?: object) {
  const response = await fetch(`/api/tasks${path}`, {
    method,
    headers: { ...headers, ...(body && { "Content-Type": "application/json" }) },
    body: body ? JSON.stringify(body) : null,
  });
  if (response.ok) return response;
  if (response.status === 401) throw new Error("You are not signed in any more.");
  if (response.status === 502) throw new Error("The API cannot be reached.");
  const { detail }: Problem = await response.json();
  throw new Error(detail);
}

/** The query of the next page, out of the API's Link (RFC 8288). */
function nextPage(response: Response) {
  return /<[^>?]*(\?[^>]*)>; rel="next"/.exec(response.headers.get("Link") ?? "")?.[1];
}
