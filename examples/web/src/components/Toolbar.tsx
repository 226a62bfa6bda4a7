import type { View } from "../store.ts";

const FILTERS = [
  { label: "All", completed: undefined },
  { label: "Open", completed: false },
  { label: "Done", completed: true },
];

const SORTS: Record<View["sort"], string> = {
  "-created_at": "Newest first",
  created_at: "Oldest first",
  "-updated_at": "Recently changed",
  updated_at: "Least recently changed",
  title: "Title A–Z",
  "-title": "Title Z–A",
};

interface Props {
  view: View;
  onChange: (view: View) => void;
}

/** Which tasks are listed, and in which order. */
export function Toolbar({ view, onChange }: Props) {
  return (
    <div className="toolbar">
      <div role="radiogroup" aria-label="Show" className="segments">
        {FILTERS.map(({ label, completed }) => (
          <label key={label}>
            <input
              type="radio"
              name="show"
              checked={view.completed === completed}
              onChange={() => onChange({ ...view, completed })}
            />
            {label}
          </label>
        ))}
      </div>
      <div className="sort">
        <label htmlFor="sort">Sort by</label>
        <select
          id="sort"
          value={view.sort}
          onChange={(event) => onChange({ ...view, sort: event.target.value as View["sort"] })}
        >
          {Object.entries(SORTS).map(([sort, label]) => (
            <option key={sort} value={sort}>
              {label}
            </option>
          ))}
        </select>
      </div>
    </div>
  );
}
