import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { program } from "./programs.ts";

/** A new folder for runs, which need not exist yet. */
export function place(name: string): string {
  return join(mkdtempSync(join(tmpdir(), `cresset-${name}-`)), ".cresset");
}

/** Takes a folder of `place` away. */
export function remove(folder: string): void {
  rmSync(join(folder, ".."), { recursive: true, force: true });
}

/** Fills a folder of runs: `reference`, `many --runs 50`, `wide`, `hostile`. */
export function fill(folder: string, ...what: string[]): string {
  execFileSync(program("fixtures"), [...what, "--out", folder], { stdio: ["ignore", "ignore", "inherit"] });
  return folder;
}

/** A run that is being recorded now. */
export class LiveRun {
  /** When each step was logged, in milliseconds since 1970. */
  readonly logged = new Map<number, number>();
  id = "";
  /** Set when it was asked to stop and did. */
  stopped: string | null = null;
  private child!: ChildProcess;
  private readonly exited: Promise<void>;

  private constructor(folder: string, args: string[], begun: () => void) {
    this.child = spawn(program("fixtures"), ["live", "--out", folder, ...args], { stdio: ["ignore", "pipe", "inherit"] });
    this.exited = new Promise((resolve) => this.child.once("exit", () => resolve()));
    createInterface({ input: this.child.stdout! }).on("line", (line) => {
      const [word, first = "", second = ""] = line.split(" ");
      if (word === "run") this.id = first;
      if (word === "stopped") this.stopped = line.slice("stopped ".length);
      if (word === "step") {
        this.logged.set(Number(first), Number(second) / 1000);
        begun();
      }
    });
  }

  static async start(folder: string, ...args: string[]): Promise<LiveRun> {
    return new Promise((resolve) => {
      const run: LiveRun = new LiveRun(folder, args, () => resolve(run));
    });
  }

  get lastStep(): number {
    return Math.max(...this.logged.keys());
  }

  /** Waits until it ended by itself. */
  async end(): Promise<void> {
    await this.exited;
  }

  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.exited;
  }
}
