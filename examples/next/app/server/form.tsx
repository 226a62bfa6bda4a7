"use client";

import { useActionState, type ReactNode } from "react";

interface Props {
  /** Returns what went wrong, in words, or nothing. */
  action: (before: string | undefined, form: FormData) => Promise<string | undefined>;
  label: string;
  /** The task that it acts on. */
  of?: string;
  className?: string;
  children?: ReactNode;
}

export function ActionForm({ action, label, of, className, children }: Props) {
  const [problem, submit, pending] = useActionState(action, undefined);
  return (
    <form action={submit} className={className}>
      {children}
      <button aria-label={of && `${label} ${of}`} disabled={pending}>
        {label}
      </button>
      {problem && <p role="alert">{problem}</p>}
    </form>
  );
}
