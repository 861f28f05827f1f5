// Writes src/api/schema.ts from ../openapi.json: the API's types as the server's code has them.
// The generator wants an older compiler than the dashboard is built with, so it is fetched for this alone.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const output = path("../src/api/schema.ts");
const packages = ["-p", "openapi-typescript@7.13.0", "-p", "typescript@5.9.3"];
execFileSync("npx", ["--yes", ...packages, "openapi-typescript", path("../../openapi.json"), "-o", output], {
  stdio: "inherit",
  shell: process.platform === "win32",
});

// Any JSON has no schema, and is known here all the same.
const generated = readFileSync(output, "utf8");
const known = generated.replace(/^(\s+)Value: unknown;$/m, '$1Value: import("./types").Json;');
if (known === generated) throw new Error("the document has no schema `Value` any more");
writeFileSync(output, known);
