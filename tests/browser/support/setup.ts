import { rmSync } from "node:fs";
import { fill, place, remove } from "./folders.ts";
import { Server } from "./server.ts";

/** Folders that all tests read and none changes, each with a server. */
const FOLDERS = { reference: ["reference"], many: ["many", "--runs", "1000"], wide: ["wide"], hostile: ["hostile"] };

export default async function setup(): Promise<() => Promise<void>> {
  rmSync("screenshots", { recursive: true, force: true });
  const begun = await Promise.all(
    Object.entries(FOLDERS).map(async ([name, what]) => {
      const folder = fill(place(name), ...what);
      const server = await Server.start(folder);
      process.env[`SITE_${name.toUpperCase()}`] = server.url;
      return { folder, server };
    }),
  );
  return async () => {
    for (const { folder, server } of begun) {
      await server.stop();
      remove(folder);
      if (server.errors.includes("panicked")) throw new Error(`a server panicked:\n${server.errors}`);
    }
  };
}
