import type { ReactNode } from "react";

import { explain } from "../errors.ts";

interface Props {
  /** What did not happen. */
  what: string;
  error: unknown;
  note?: string;
  onRetry?: (() => void) | undefined;
  /** More to do about it. */
  children?: ReactNode;
}

export function Alert({ what, error, note, onRetry, children }: Props) {
  const { text, requestId, passing } = explain(error);
  return (
    <div role="alert" className="alert">
      <p>
        <strong>{what}</strong> {text} {note}
        {requestId && <small>Request {requestId}</small>}
      </p>
      <div className="actions">
        {passing && onRetry && (
          <button type="button" onClick={onRetry}>
            Try again
          </button>
        )}
        {children}
      </div>
    </div>
  );
}
