import type { RefObject } from "react";

import { SHORTCUTS } from "../shortcuts.ts";

interface Props {
  dialog: RefObject<HTMLDialogElement | null>;
  /** Whether single keys do something, which those who dictate may not want. */
  single: boolean;
  onSingle: (single: boolean) => void;
}

/** The keys, to look up and to turn off (WCAG 2.1.4). */
export function Help({ dialog, single, onSingle }: Props) {
  return (
    <dialog ref={dialog} aria-labelledby="help" className="help">
      <h2 id="help">Keyboard shortcuts</h2>
      <dl>
        {SHORTCUTS.map(({ keys, does }) => (
          <div key={does}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <label>
        <input type="checkbox" checked={single} onChange={() => onSingle(!single)} />
        Single keys work everywhere on the page
      </label>
      <form method="dialog">
        <button type="submit" className="primary">
          Close
        </button>
      </form>
    </dialog>
  );
}
