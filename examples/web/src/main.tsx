import { focusManager, notifyManager, onlineManager } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./App.tsx";
import "./styles.css";

// What the user does is seen in the same frame.
notifyManager.setScheduler(queueMicrotask);

onlineManager.setOnline(navigator.onLine); // by itself it starts as online, and follows changes

// Lists are loaded again when somebody comes back, from another tab or from another window.
focusManager.setEventListener((onFocus) => {
  const listen = () => onFocus();
  for (const type of ["visibilitychange", "focus"]) window.addEventListener(type, listen);
  return () => {
    for (const type of ["visibilitychange", "focus"]) window.removeEventListener(type, listen);
  };
});

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
