import { defineConfig } from "vite";
import solid from "vite-plugin-solid";
import { licences } from "./build/licences.ts";

/** The server that `npm run dev` shows, such as `http://127.0.0.1:7007`. */
const server = process.env["CRESSET_URL"] ?? "http://127.0.0.1:7007";

export default defineConfig({
  plugins: [solid(), licences()],
  // Files find each other wherever they are: the server may be under a path of somebody else's. It fills in the page's own.
  base: "./",
  build: {
    outDir: "../assets",
    emptyOutDir: true,
    target: "es2022",
    // The server sends assets compressed; a data: URL would be refused by its content security policy.
    assetsInlineLimit: 0,
    // The helper that preloads chunks works without inline scripts; its polyfill is for browsers without modulepreload.
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: {
    host: "127.0.0.1",
    // The server refuses changes that another origin asks for, which the development server is.
    proxy: { "/api": { target: server, changeOrigin: true, headers: { origin: server } } },
  },
  test: { environment: "node", include: ["src/**/*.test.ts"] },
} as Parameters<typeof defineConfig>[0]);
