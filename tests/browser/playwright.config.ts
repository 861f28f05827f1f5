import { defineConfig } from "@playwright/test";
import { chromium } from "./support/programs.ts";

export default defineConfig({
  testDir: "specs",
  outputDir: "results/traces",
  globalSetup: "./support/setup.ts",
  // Two cores: a browser each, and the servers answer in between.
  workers: 2,
  fullyParallel: true,
  timeout: 60_000,
  // Slow machines are no failures; nothing here asserts how long something takes.
  expect: { timeout: 20_000 },
  retries: 0,
  reporter: [["list"]],
  use: {
    viewport: { width: 1440, height: 900 },
    locale: "en-GB",
    timezoneId: "UTC",
    trace: "retain-on-failure",
    launchOptions: {
      executablePath: chromium(),
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        // Whatever tries to leave this machine fails, and is seen to have tried.
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
      ],
    },
  },
});
