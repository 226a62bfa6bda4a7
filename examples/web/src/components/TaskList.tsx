import {
  createContext,
  Fragment,
  useContext,
  useEffect,
  type ReactNode,
  type RefObject,
} from "react";
import {
  WindowVirtualizer,
  type CustomContainerComponentProps,
  type CustomItemComponentProps,
  type WindowVirtualizerHandle,
} from "virtua";

import { rowOf } from "../focus.ts";
import type { Row } from "../rows.ts";

const NEAR = 20; // rows before the end

interface List {
  rows: Row[];
  isBusy: boolean;
  /** Whether the rows are not what was asked for yet. */
  isStale: boolean;
  /** Whether there are more than the rows. */
  isPart: boolean;
}

interface Props extends List {
  handle: RefObject<WindowVirtualizerHandle | null>;
  /** Called when the end is near. */
  onEnd: () => void;
  children: (row: Row) => ReactNode;
}

const ListContext = createContext<List>({ rows: [], isBusy: false, isStale: false, isPart: false });

/** The rows that are in sight, whatever the number of all. */
export function TaskList({ handle, onEnd, children, ...list }: Props) {
  const { rows } = list;
  const look = () => {
    const { scrollOffset = 0, viewportSize = 0 } = handle.current ?? {};
    const last = handle.current?.findItemIndex(scrollOffset + viewportSize) ?? 0;
    if (last >= rows.length - NEAR) onEnd();
  };
  useEffect(look);

  return (
    <ListContext value={list}>
      <WindowVirtualizer ref={handle} as={Container} item={Item} data={rows} onScroll={look}>
        {(row) => <Fragment key={row.task.key}>{children(row)}</Fragment>}
      </WindowVirtualizer>
    </ListContext>
  );
}

function Container({ style, children, ref }: CustomContainerComponentProps) {
  const { isBusy, isStale } = useContext(ListContext);
  return (
    <ul
      ref={ref}
      className="list"
      aria-label="Tasks"
      aria-busy={isBusy}
      data-stale={isStale || undefined}
      style={style}
    >
      {children}
    </ul>
  );
}

function Item({ style, index, children, ref }: CustomItemComponentProps) {
  const { rows, isPart } = useContext(ListContext);
  const task = rows[index]?.task;
  return (
    <li
      ref={ref}
      id={task && rowOf(task.key)}
      className="task"
      aria-busy={task?.pending}
      aria-posinset={index + 1}
      aria-setsize={isPart ? -1 : rows.length}
      style={style}
    >
      {children}
    </li>
  );
}
