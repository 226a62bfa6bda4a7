import { SEARCH } from "../focus.ts";
import { SORTS, type View } from "../view.ts";

const FILTERS = { all: "All", open: "Open", done: "Done" } as const;

interface Props {
  view: View;
  /** How many tasks a filter shows. */
  count: (show: View["show"]) => string;
  query: string;
  onView: (view: View) => void;
  onQuery: (query: string) => void;
}

/** Which tasks are listed, and in which order. */
export function Toolbar({ view, count, query, onView, onQuery }: Props) {
  return (
    <div className="toolbar">
      <div role="radiogroup" aria-label="Show" className="segments">
        {Object.entries(FILTERS).map(([show, label]) => (
          <label key={show}>
            <input
              type="radio"
              name="show"
              checked={view.show === show}
              onChange={() => onView({ ...view, show: show as View["show"] })}
            />
            {label} <span className="number">{count(show as View["show"])}</span>
          </label>
        ))}
      </div>
      <input
        id={SEARCH}
        type="search"
        aria-label="Search"
        placeholder="Search"
        dir="auto"
        value={query}
        onChange={(event) => onQuery(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          onQuery("");
          event.currentTarget.blur();
        }}
      />
      <select
        aria-label="Sort by"
        value={view.sort}
        onChange={(event) => onView({ ...view, sort: event.target.value as View["sort"] })}
      >
        {Object.entries(SORTS).map(([sort, label]) => (
          <option key={sort} value={sort}>
            {label}
          </option>
        ))}
      </select>
    </div>
  );
}
