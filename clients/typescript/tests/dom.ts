import { Window } from "happy-dom";

// A document for React; what sends is still Node's own.
const window = new Window();
const { document, navigator } = window;
Object.defineProperties(globalThis, {
  window: { value: window },
  document: { value: document },
  navigator: { value: navigator },
});
