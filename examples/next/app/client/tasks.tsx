"use client";

import { useState, type FormEvent } from "react";
import { Conflict, SignedOut } from "task-api-client";
import {
  useCreateTask,
  useDeleteTask,
  useTasks,
  useToggleTask,
  useWrites,
  type FailedWrite,
} from "task-api-client/react";

export function Tasks() {
  const [title, setTitle] = useState("");
  const list = useTasks({ limit: 20 });
  const create = useCreateTask();
  const toggle = useToggleTask();
  const remove = useDeleteTask();
  const { failed } = useWrites();

  const add = (event: FormEvent) => {
    event.preventDefault();
    create.mutate({ title });
    setTitle("");
  };

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
      {failed.map((each, index) => (
        <Failed key={index} {...each} />
      ))}
      {list.error && (
        <p role="alert">
          {explain(list.error)} <button onClick={() => list.refetch()}>Try again</button>
        </p>
      )}
      <ul className="card" aria-label="Tasks" aria-busy={list.isPending}>
        {list.tasks.map((task) => (
          <li key={task.key} aria-busy={task.pending}>
            <label>
              <input type="checkbox" checked={task.completed} onChange={() => toggle.mutate(task)} />
              <span>{task.title}</span>
            </label>
            <button className="quiet" aria-label={`Delete ${task.title}`} onClick={() => remove.mutate(task)}>
              Delete
            </button>
          </li>
        ))}
        {list.isSuccess && list.tasks.length === 0 && <li className="empty">Nothing to do.</li>}
      </ul>
      {list.hasNextPage && (
        <button disabled={list.isFetchingNextPage} onClick={() => list.fetchNextPage()}>
          Show more
        </button>
      )}
    </>
  );
}

/** What could not be saved: the list shows the task as if it had not been tried. */
function Failed({ error, retry, discard }: FailedWrite) {
  return (
    <div role="alert">
      <p>{explain(error)}</p>
      <button onClick={retry}>Try again</button> <button onClick={discard}>Leave it</button>
    </div>
  );
}

function explain(error: Error) {
  if (error instanceof Conflict) {
    const { title, completed } = error.current;
    return `Somebody changed this meanwhile. It is now “${title}”, ${completed ? "done" : "to do"}.`;
  }
  if (error instanceof SignedOut) return "You are not signed in any more.";
  return error instanceof TypeError ? "The API cannot be reached." : error.message;
}
