import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

/** The workspace. */
const root = resolve(import.meta.dirname, "../../..");

/** The browser: `$CHROMIUM`, or where systems put it. Playwright's own would be a download of half a gigabyte. */
export function chromium(): string {
  const given = process.env["CHROMIUM"];
  const places = given ? [given] : ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
  const found = places.find(existsSync);
  if (!found) throw new Error(`no browser at ${places.join(" or ")}: apt-get install chromium, or set CHROMIUM to the program`);
  return found;
}

/** A program of the workspace, as cargo built it: `cresset`, or `fixtures`, which writes folders of runs. */
export function program(name: "cresset" | "fixtures"): string {
  const target = process.env["CARGO_TARGET_DIR"] ?? join(root, "target");
  const profile = process.env["CRESSET_PROFILE"] ?? "debug";
  const file = join(resolve(root, target), profile, name);
  if (!existsSync(file)) throw new Error(`${file} is not built: cargo build -p cresset-cli -p cresset-tests`);
  return file;
}
