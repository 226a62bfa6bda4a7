import { useState, type FormEvent } from "react";

import { NEW_TASK } from "../focus.ts";

interface Props {
  onAdd: (title: string) => void;
}

export function AddTask({ onAdd }: Props) {
  const [text, setText] = useState("");

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const title = text.trim();
    if (!title) return;
    onAdd(title);
    setText("");
  };

  return (
    <form className="add" onSubmit={submit}>
      <label className="visually-hidden" htmlFor={NEW_TASK}>
        New task
      </label>
      <input
        id={NEW_TASK}
        value={text}
        onChange={(event) => setText(event.target.value)}
        placeholder="What is to be done?"
        maxLength={255}
        autoComplete="off"
        enterKeyHint="done"
      />
      <button type="submit" className="primary">
        Add
      </button>
    </form>
  );
}
