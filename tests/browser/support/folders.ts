import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
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

  private constructor(folder: string, args: string[], nvml: string | undefined, begun: () => void) {
    this.child = spawn(program("fixtures"), ["live", "--out", folder, ...args], {
      stdio: ["ignore", "pipe", "inherit"],
      env: nvml === undefined ? process.env : { ...process.env, CRESSET_NVML: nvml },
    });
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

  private static begin(folder: string, args: string[], nvml?: string): Promise<LiveRun> {
    return new Promise((resolve) => {
      const run: LiveRun = new LiveRun(folder, args, nvml, () => resolve(run));
    });
  }

  static async start(folder: string, ...args: string[]): Promise<LiveRun> {
    return LiveRun.begin(folder, args);
  }

  /** One that also records what this machine does, and what the fake of NVIDIA's library says of GPUs. */
  static async measured(folder: string, nvml: string, ...args: string[]): Promise<LiveRun> {
    return LiveRun.begin(folder, ["--telemetry", ...args], nvml);
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

/** The fake of NVIDIA's library, built into the folder that a folder of runs is in, with a script of its tests beside it. */
export function fakeLibrary(folder: string, script: string): string {
  const sources = join(import.meta.dirname, "../../../crates/cresset-telemetry/tests/fake");
  const library = join(folder, "..", "libnvidia-ml.so.1");
  const compiler = process.env["CC"] ?? "cc";
  execFileSync(compiler, ["-shared", "-fPIC", "-O1", "-fvisibility=hidden", "-o", library, join(sources, "nvml.c"), "-ldl", "-lpthread"]);
  copyFileSync(join(sources, script), `${library}.script`);
  return library;
}
