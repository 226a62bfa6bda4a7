import { onlineManager } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";

let isAnswered = true;
const listeners = new Set<() => void>();

function set(value: boolean): void {
  isAnswered = value;
  for (const listener of listeners) listener();
}

/** Notes whether a server, and not only its gateway, has answered this. */
export async function noting(sending: () => Promise<Response>): Promise<Response> {
  try {
    const response = await sending();
    set(response.status < 502);
    return response;
  } catch (error) {
    if (!(error instanceof DOMException)) set(false); // else it was cancelled
    throw error;
  }
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  const forget = onlineManager.subscribe(listener);
  return () => {
    listeners.delete(listener);
    forget();
  };
};

/** Whether the servers can be reached, by the last request. */
export function useReach(): boolean {
  return useSyncExternalStore(subscribe, () => isAnswered && onlineManager.isOnline());
}
