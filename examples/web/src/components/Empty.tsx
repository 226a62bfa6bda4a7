import type { View } from "../view.ts";

const STEPS = [
  ["Add", "Type what needs doing and press Enter. A second line is the description."],
  ["Complete", "Tick its box when it is done."],
  ["Change", "Click its title to edit it; the bin deletes it, and Undo brings it back."],
];

interface Props {
  show: View["show"];
  query: string;
}

/** What to say where there is nothing to show. */
export function Empty({ show, query }: Props) {
  if (query) return <p className="empty">No task has these words.</p>;
  if (show === "done") return <p className="empty">Nothing is done yet.</p>;
  if (show === "open") return <p className="empty">Nothing left to do. Well done!</p>;
  return (
    <section className="welcome">
      <h2>Three things you can do here</h2>
      <ol>
        {STEPS.map(([name, how]) => (
          <li key={name}>
            <strong>{name}.</strong> {how}
          </li>
        ))}
      </ol>
    </section>
  );
}
