import { QueryClientProvider } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { TasksProvider } from "task-api-client/react";

import { Logo } from "./components/icons.tsx";
import { SignIn } from "./components/SignIn.tsx";
import { Tasks } from "./components/Tasks.tsx";
import { useSession } from "./session.ts";
import { storage } from "./storage.ts";
import { workspaceOf, type Workspace } from "./workspace.ts";

/** The sign-in form or the user's tasks. */
export function App() {
  const { user, check, signOut } = useSession();
  const [workspace, setWorkspace] = useState<Workspace>();
  const [ended, setEnded] = useState(false);
  const [asked, setAsked] = useState(false);
  const isLeaving = useRef(false);
  const id = user?.id;
  if (user === null && !asked) setAsked(true);

  useEffect(() => {
    if (id === undefined) return undefined;
    let isLate = false;
    void workspaceOf(id).then((opened) => isLate || setWorkspace(opened));
    return () => {
      isLate = true;
      setWorkspace(undefined);
      setEnded(!isLeaving.current);
    };
  }, [id]);

  const leave = async () => {
    isLeaving.current = true;
    try {
      await workspace?.settled();
      await signOut();
      await workspace?.forget();
    } finally {
      isLeaving.current = false;
    }
  };

  if (user === null) return <SignIn ended={ended} onDone={check} />;
  if (!user || workspace?.api.userId !== user.id) return <Splash />;
  return (
    <QueryClientProvider client={workspace.client}>
      <TasksProvider api={workspace.api} storage={storage}>
        <Tasks
          user={user}
          drafts={workspace.drafts}
          autoFocus={asked}
          onDoubt={check}
          onSignOut={leave}
        />
      </TasksProvider>
    </QueryClientProvider>
  );
}

/** What index.html has, too. */
function Splash() {
  return (
    <div className="splash">
      <Logo size={64} />
    </div>
  );
}
