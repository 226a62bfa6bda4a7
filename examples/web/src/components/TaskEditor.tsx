import { useState, type FormEvent, type KeyboardEvent } from "react";

import type { Entry, TaskText } from "../entry.ts";
import { fieldError } from "../errors.ts";
import { editButtonOf, NEW_TASK, refocus, useInheritedFocus } from "../focus.ts";
import type { TaskStore } from "../store.ts";
import { Alert } from "./Alert.tsx";
import { Field } from "./Field.tsx";

interface Props {
  entry: Entry;
  /** What it begins with. */
  text: TaskText;
  hidden: boolean;
  store: TaskStore;
}

/** Edits a task in place: Enter saves, Escape cancels. */
export function TaskEditor({ entry: { key, trouble }, text, hidden, store }: Props) {
  const [title, setTitle] = useState(text.title);
  const [description, setDescription] = useState(text.description);
  const [blank, setBlank] = useState(false);
  const titleInput = useInheritedFocus<HTMLInputElement>();

  const titleError =
    blank && !title.trim() ? "A title is needed" : fieldError(trouble?.error, "title");

  const end = (change: () => void) => refocus(change, editButtonOf(key), NEW_TASK);
  const cancel = () => end(() => store.cancel(key));
  const save = () => {
    if (title.trim()) end(() => store.save(key, { title, description }));
    else setBlank(true);
  };

  const submit = (event: FormEvent) => {
    event.preventDefault();
    save();
  };
  const press = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Escape") cancel();
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) save();
  };

  return (
    <form className="editor" hidden={hidden} onSubmit={submit} onKeyDown={press}>
      <Field label="Title" error={titleError}>
        {(control) => (
          <input
            {...control}
            ref={titleInput}
            value={title}
            onChange={(event) => setTitle(event.target.value)}
            maxLength={255}
          />
        )}
      </Field>
      <Field label="Description" error={fieldError(trouble?.error, "description")}>
        {(control) => (
          <textarea
            {...control}
            value={description}
            onChange={(event) => setDescription(event.target.value)}
            maxLength={1000}
            rows={3}
          />
        )}
      </Field>
      {trouble && <Alert what="Not saved." error={trouble.error} onRetry={save} />}
      <div className="actions">
        <button type="submit" className="primary">
          Save
        </button>
        <button type="button" onClick={cancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}
