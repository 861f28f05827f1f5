import { defineConfig } from "@playwright/test";
import base from "./playwright.config.ts";

/** What the API and the page cost; `cargo xtask bench` runs it on release builds. */
export default defineConfig({
  ...base,
  testDir: "bench",
  testMatch: "*.bench.ts",
  globalSetup: undefined,
  workers: 1,
  fullyParallel: false,
  timeout: 600_000,
  use: { ...base.use, trace: "off" },
});
