import { counted } from "../list.ts";

interface Props {
  count: number;
  onToggle: () => void;
  onRemove: () => void;
  onClear: () => void;
}

/** What can be done to several tasks at once. */
export function SelectionBar({ count, onToggle, onRemove, onClear }: Props) {
  return (
    <div role="group" aria-label="Selection" className="selection">
      <span>{counted(count)} selected</span>
      <button type="button" onClick={onToggle}>
        Complete
      </button>
      <button type="button" onClick={onRemove}>
        Delete
      </button>
      <button type="button" className="quiet" onClick={onClear}>
        Clear selection
      </button>
    </div>
  );
}
