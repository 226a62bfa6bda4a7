import { useEffect, useState, useSyncExternalStore } from "react";

import { connectToApi } from "../auth.ts";
import { TaskStore } from "../store.ts";
import { AddTask } from "./AddTask.tsx";
import { TaskList } from "./TaskList.tsx";
import { Toasts } from "./Toasts.tsx";
import { Toolbar } from "./Toolbar.tsx";

interface Props {
  userId: string;
  hidden: boolean;
  /** Called when it seems that the user is not signed in any more. */
  onDoubt: () => void;
}

/** One user's tasks. */
export function Tasks({ userId, hidden, onDoubt }: Props) {
  const [store] = useState(() => new TaskStore(connectToApi(), userId, onDoubt));
  const state = useSyncExternalStore(store.subscribe, store.state);
  useEffect(() => (hidden ? undefined : store.open()), [hidden, store]);

  return (
    <main hidden={hidden}>
      <AddTask onAdd={(title) => store.add({ title })} />
      <Toolbar view={state.view} onChange={(view) => store.show(view)} />
      <Toasts store={store} state={state} />
      <TaskList store={store} state={state} />
    </main>
  );
}
