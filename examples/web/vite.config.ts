import react from "@vitejs/plugin-react";
import compression from "compression";
import { defineConfig, type Plugin } from "vite";
import { VitePWA } from "vite-plugin-pwa";

import { auth } from "./auth.ts";
import { readSettings } from "./settings.ts";

const settings = readSettings(process.env);

/** On loopback, under one name, for this page alone. */
const listen = { host: "127.0.0.1", port: settings.port, strictPort: true, cors: false };

const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  `connect-src 'self' ${settings.apiUrl}`,
  "manifest-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

/** What is served is compressed, as it is wherever a page is served for real. */
function compressed(): Plugin {
  return {
    name: "compressed",
    // Its types are for Express.
    configurePreviewServer: ({ middlewares }) => void middlewares.use(compression() as never),
  };
}

/** A manifest, and a service worker that opens the page where the server cannot be reached. */
function installable() {
  return VitePWA({
    registerType: "autoUpdate",
    injectRegister: "script-defer",
    manifest: {
      name: "Tasks",
      short_name: "Tasks",
      description: "What needs doing, on every device",
      lang: "en",
      id: "/",
      display: "standalone",
      background_color: "#f5f4f0",
      theme_color: "#2f6b57",
      icons: [
        { src: "icon.svg", sizes: "any", type: "image/svg+xml" },
        { src: "icon-192.png", sizes: "192x192", type: "image/png" },
        { src: "icon-512.png", sizes: "512x512", type: "image/png" },
        { src: "icon-maskable.png", sizes: "512x512", type: "image/png", purpose: "maskable" },
      ],
    },
    includeAssets: ["icon.svg"],
    workbox: {
      inlineWorkboxRuntime: true,
      // The network comes first, so that whatever else is served on this port later is seen.
      navigateFallback: null,
      directoryIndex: null,
      runtimeCaching: [
        {
          urlPattern: ({ request }) => request.mode === "navigate",
          handler: "NetworkOnly",
          options: { precacheFallback: { fallbackURL: "index.html" } },
        },
      ],
    },
  });
}

export default defineConfig({
  plugins: [react(), auth(settings), compressed(), installable()],
  // The client is a link, with packages of its own for its tests.
  resolve: { dedupe: ["react", "@tanstack/react-query"] },
  define: { "import.meta.env.API_URL": JSON.stringify(settings.apiUrl) },
  logLevel: "warn",
  server: { ...listen, fs: { allow: [".", "../../clients/typescript"] } },
  preview: {
    ...listen,
    headers: {
      "Content-Security-Policy": contentSecurityPolicy,
      "Referrer-Policy": "no-referrer",
      "X-Content-Type-Options": "nosniff",
    },
  },
});
