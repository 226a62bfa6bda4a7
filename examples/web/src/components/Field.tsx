import { useId, type ReactNode } from "react";

interface Props {
  label: string;
  hint?: string | undefined;
  /** What is wrong about the value. */
  error?: string | undefined;
  children: (control: object) => ReactNode;
}

/** A control with its label, and what is to be said about its value. */
export function Field({ label, hint, error, children }: Props) {
  const id = useId();
  const note = error ?? hint;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({ id, "aria-invalid": Boolean(error), "aria-describedby": note && `${id}-note` })}
      {note && (
        <p id={`${id}-note`} className={error ? "wrong" : "hint"}>
          {note}
        </p>
      )}
    </div>
  );
}
