import { useState, type KeyboardEvent, type SyntheticEvent } from "react";

import { LONGEST, NEW, parsed, type Draft, type Drafts, type TaskText } from "../drafts.ts";
import { NEW_TASK } from "../focus.ts";

interface Props {
  drafts: Drafts;
  draft: Draft | undefined;
  autoFocus: boolean;
  onAdd: (text: TaskText) => void;
}

/** Enter adds a task; what follows in other lines is its description. */
export function AddTask({ drafts, draft, autoFocus, onAdd }: Props) {
  const [tooLong, setTooLong] = useState(false);
  const text = draft?.text.title ?? "";
  const type = (title: string) => {
    setTooLong(false);
    drafts.set(NEW, title ? { text: { title, description: "" } } : undefined);
  };

  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    const task = parsed(text);
    if (!task.title) return;
    if (task.title.length > LONGEST.title) return setTooLong(true);
    onAdd(task);
    type("");
  };
  const press = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) submit(event);
    if (event.key === "Escape") event.currentTarget.blur();
  };

  return (
    <form className="add" onSubmit={submit}>
      <label className="visually-hidden" htmlFor={NEW_TASK}>
        New task
      </label>
      <textarea
        id={NEW_TASK}
        value={text}
        onChange={(event) => type(event.target.value)}
        onKeyDown={press}
        placeholder="What needs doing?"
        rows={1}
        maxLength={LONGEST.title + 1 + LONGEST.description}
        dir="auto"
        autoComplete="off"
        autoFocus={autoFocus}
        enterKeyHint="done"
        aria-invalid={tooLong}
        aria-describedby="new-task-note"
      />
      <button type="submit" className="primary">
        Add
      </button>
      <p id="new-task-note" className={tooLong ? "wrong" : "hint"}>
        {tooLong
          ? `A title has at most ${LONGEST.title} characters. Put the rest in a second line.`
          : "Shift+Enter: a second line is the description"}
      </p>
    </form>
  );
}
