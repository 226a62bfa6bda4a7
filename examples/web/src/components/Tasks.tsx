import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import { useWrites } from "task-api-client/react";

import { useActions } from "../actions.ts";
import { useAnnouncer } from "../announcer.ts";
import type { User } from "../auth.ts";
import { useCommands } from "../commands.ts";
import { useCursor } from "../cursor.ts";
import { NEW, type Drafts } from "../drafts.ts";
import { isSignedOut } from "../errors.ts";
import { isFound, useList } from "../list.ts";
import { rowsOf, type Row } from "../rows.ts";
import { keep, kept } from "../storage.ts";
import { useView } from "../view.ts";
import { AddTask } from "./AddTask.tsx";
import { Banner } from "./Banner.tsx";
import { Conflict } from "./Conflict.tsx";
import { Editor } from "./Editor.tsx";
import { Footer } from "./Footer.tsx";
import { Help } from "./Help.tsx";
import { SelectionBar } from "./SelectionBar.tsx";
import { Status } from "./Status.tsx";
import { TaskList } from "./TaskList.tsx";
import { TaskRow } from "./TaskRow.tsx";
import { Toolbar } from "./Toolbar.tsx";
import { Undo } from "./Undo.tsx";

const SINGLE_KEYS = "task-page/single-keys";

interface Props {
  user: User;
  drafts: Drafts;
  autoFocus: boolean;
  /** Called when it seems that the user is not signed in any more. */
  onDoubt: () => void;
  onSignOut: () => Promise<void>;
}

/** One user's tasks. */
export function Tasks({ user, drafts, autoFocus, onDoubt, onSignOut }: Props) {
  const [view, setView] = useView();
  const [query, setQuery] = useState("");
  const [isThorough, setThorough] = useState(false);
  const [held, setHeld] = useState<ReadonlySet<string>>(new Set());
  const [single, setSingle] = useState(() => kept<boolean>(SINGLE_KEYS) ?? true);
  const [said, announce] = useAnnouncer();
  const help = useRef<HTMLDialogElement>(null);

  const texts = useSyncExternalStore(drafts.subscribe, drafts.all);
  const hold = (keys: string[]) => setHeld((held) => new Set([...held, ...keys]));
  const actions = useActions({ drafts, announce, hold });
  const list = useList(view, { held, isDeleted: actions.isDeleted });
  const writes = useWrites();
  useEffect(() => setHeld(new Set()), [view]);

  // What was refused because nobody is signed in is sent again by itself.
  const failed = writes.failed.filter(({ error }) => !isSignedOut(error));
  const isInDoubt = failed.length < writes.failed.length || isSignedOut(list.error);
  useEffect(() => {
    if (isInDoubt) onDoubt();
  }, [isInDoubt, onDoubt]);

  const found = list.tasks.filter((task) => isFound(task, query.trim()));
  const rows = rowsOf(found, texts, failed, actions.touched);
  const cursor = useCursor(rows.map(({ task }) => task.key));
  const onHelp = () => help.current?.showModal();
  const commands = useCommands({ rows, cursor, actions, single, onHelp });

  const last = actions.done.at(-1);

  const search = (text: string) => {
    setQuery(text);
    setThorough(false);
  };
  const loadMore = () => {
    const { hasNextPage, isFetching, isPlaceholderData, error } = list;
    const canLoad = hasNextPage && !isFetching && !isPlaceholderData && !error;
    if (canLoad && (!query || isThorough)) void list.fetchNextPage();
  };
  useEffect(() => {
    if (isThorough) loadMore();
  });
  const leave = async () => {
    actions.commit();
    await onSignOut();
  };

  return (
    <>
      <Banner user={user} onHelp={onHelp} onSignOut={leave} />
      <main>
        <div className="head">
          <AddTask
            drafts={drafts}
            draft={texts.get(NEW)}
            autoFocus={autoFocus}
            onAdd={(text) => actions.add(text)}
          />
          <Toolbar view={view} count={list.count} query={query} onView={setView} onQuery={search} />
          {cursor.selected.length > 0 && (
            <SelectionBar
              count={cursor.selected.length}
              onToggle={() => commands.toggle()}
              onRemove={() => commands.remove()}
              onClear={cursor.clear}
            />
          )}
        </div>
        <TaskList
          handle={cursor.list}
          rows={rows}
          isBusy={list.isFetching}
          isStale={list.isPlaceholderData}
          isPart={list.hasNextPage}
          onEnd={loadMore}
        >
          {place}
        </TaskList>
        <Footer
          list={list}
          found={rows.length}
          loaded={list.tasks.length}
          show={view.show}
          query={query}
          onMore={() => (query ? setThorough(true) : void list.fetchNextPage())}
        />
      </main>
      <section aria-label="Notices" className="toasts">
        <Status
          writes={writes}
          isLoading={list.isFetching}
          areDraftsKept={drafts.areKept}
          said={said}
        />
        {last && <Undo last={last} onUndo={commands.undo} onFinal={actions.commit} />}
      </section>
      <Help
        dialog={help}
        single={single}
        onSingle={(single) => {
          setSingle(single);
          keep(SINGLE_KEYS, single);
        }}
      />
    </>
  );

  /** A task: to read, to edit, or in a conflict. */
  function place(row: Row) {
    const { task, draft, failed, theirs } = row;
    const { key } = task;
    const settle = (choice: () => void) => cursor.after(choice, key);
    if (theirs !== undefined) {
      const take = () => {
        actions.revert(row);
        if (theirs === null) void list.refetch();
      };
      return (
        <Conflict
          row={row}
          onKeep={() => settle(() => actions.keepMine(row))}
          onTake={() => settle(take)}
        />
      );
    }
    if (draft) {
      return (
        <Editor
          row={row}
          draft={draft}
          onType={(text) => drafts.set(key, { seen: draft.seen, text })}
          onSave={(text, goOn) => commands.save(row, text, goOn)}
          onRevert={() => commands.revert(row)}
        />
      );
    }
    return (
      <TaskRow
        row={row}
        date={view.sort.endsWith("_at") ? (view.sort.replace("-", "") as "created_at") : undefined}
        isActive={cursor.active === key}
        isSelected={cursor.selected.includes(key)}
        onFocus={() => cursor.put(key)}
        onToggle={() => commands.toggle([task])}
        onEdit={() => commands.edit(row)}
        onRemove={() => commands.remove([task])}
        onSelect={() => cursor.select(key)}
        onRetry={() => settle(() => failed.forEach((write) => write.retry()))}
        onDismiss={() => settle(() => actions.revert(row))}
      />
    );
  }
}
