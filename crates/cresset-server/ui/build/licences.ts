import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Plugin } from "vite";

/** Writes THIRD-PARTY.txt beside the build: every package of which something is in it, with its licence. */
export function licences(): Plugin {
  return {
    name: "cresset-licences",
    apply: "build",
    generateBundle(_options, bundle) {
      const folders = new Set<string>();
      const fonts = Object.values(bundle).flatMap((part) => (part.type === "asset" ? part.originalFileNames : []));
      for (const id of [...this.getModuleIds(), ...fonts.map((name) => resolve(name))]) {
        const folder = packageFolder(id);
        if (folder) folders.add(folder);
      }
      this.emitFile({ type: "asset", fileName: "THIRD-PARTY.txt", source: text([...folders]) });
    },
  };
}

/** The folder of the npm package that a module is from. */
function packageFolder(id: string): string | null {
  const path = id.replaceAll("\\", "/").split("?")[0] ?? "";
  const match = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path);
  return match?.[1] && existsSync(join(match[1], "package.json")) ? match[1] : null;
}

function text(folders: string[]): string {
  const parts = folders.map((folder) => {
    const about = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
      name: string;
      version: string;
      license?: string;
    };
    const file = readdirSync(folder).find((name) => /^(licen[cs]e|copying)(\.|$)/i.test(name));
    const words = file ? readFileSync(join(folder, file), "utf8").trim() : `Licence: ${about.license ?? "unknown"}`;
    return { name: about.name, head: `${about.name} ${about.version} (${about.license ?? "?"})`, words };
  });
  parts.sort((a, b) => (a.name < b.name ? -1 : 1));
  const rule = "-".repeat(80);
  return [
    "The dashboard contains parts of these packages.",
    ...parts.map((part) => `${rule}\n${part.head}\n\n${part.words}`),
  ].join("\n\n") + "\n";
}
