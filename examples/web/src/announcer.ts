import { useState } from "react";

/** Something to say to those who do not see it; the number tells it from the one before. */
export interface Announcement {
  message: string;
  number: number;
}

export function useAnnouncer(): [Announcement, (message: string) => void] {
  const [said, setSaid] = useState({ message: "", number: 0 });
  const announce = (message: string) => setSaid(({ number }) => ({ message, number: number + 1 }));
  return [said, announce];
}
