import { isSignedOut } from "../errors.ts";
import { counted, numeral, type useList } from "../list.ts";
import type { View } from "../view.ts";
import { Alert } from "./Alert.tsx";
import { Empty } from "./Empty.tsx";

interface Props {
  list: ReturnType<typeof useList>;
  /** How many tasks are shown, and how many there are without a search. */
  found: number;
  loaded: number;
  show: View["show"];
  query: string;
  onMore: () => void;
}

/** What comes below the list: how many tasks there are, and whether that is all. */
export function Footer({ list, found, loaded, show, query, onMore }: Props) {
  const { error, hasNextPage, isPending, isSuccess, isPlaceholderData } = list;
  const again = isPending ? list.refetch : onMore;
  const isReady = isSuccess && !isPlaceholderData;
  return (
    <>
      {isPending && found === 0 && !error && <Skeleton />}
      {error && !isSignedOut(error) && (
        <Alert what="The tasks could not be loaded." error={error} onRetry={() => void again()} />
      )}
      {isReady && found === 0 && <Empty show={show} query={query} />}
      <p role="status" className="count">
        {isReady && text()}
      </p>
      {hasNextPage && !error && (
        <button type="button" className="more" onClick={onMore}>
          {query ? "Search all tasks" : "Load more"}
        </button>
      )}
    </>
  );

  function text() {
    if (query && hasNextPage) return `${numeral(found)} of the ${counted(loaded)} loaded so far`;
    if (query) return `${numeral(found)} of ${counted(loaded)}`;
    if (found === 0) return "";
    return hasNextPage ? `${counted(found)} loaded, there are more` : counted(found);
  }
}

function Skeleton() {
  return (
    <div className="skeleton" aria-hidden="true">
      <i />
      <i />
      <i />
    </div>
  );
}
