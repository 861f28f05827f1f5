import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { program } from "./programs.ts";

/** A `cresset ui` or `cresset serve` of a folder of runs. */
export class Server {
  /** What it said on stderr. */
  errors = "";

  private constructor(
    readonly url: string,
    private readonly child: ChildProcess,
  ) {}

  /** Starts one and waits until it listens; port 0 is any free one. */
  static async start(folder: string, options: { command?: "ui" | "serve"; port?: number; args?: string[] } = {}): Promise<Server> {
    const { command = "ui", port = 0, args = [] } = options;
    const where = command === "ui" ? [folder, "--port", String(port), "--no-open"] : [folder, "--bind", `127.0.0.1:${port}`];
    const child = spawn(program("cresset"), [command, ...where, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NO_COLOR: "1", RUST_BACKTRACE: "1" },
    });
    let errors = "";
    child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      errors += text;
      if (server) server.errors = errors;
    });
    let server: Server | undefined;
    const url = await new Promise<string>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code) => reject(new Error(`cresset ${command} ended with ${code}:\n${errors}`)));
      for (const stream of [child.stdout!, child.stderr!]) {
        createInterface({ input: stream }).on("line", (line) => {
          const found = /http:\/\/[\w.]+:\d+/.exec(line);
          if (found) resolve(found[0]);
        });
      }
    });
    server = new Server(url, child);
    server.errors = errors;
    return server;
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Ends it in order. */
  async stop(): Promise<number | null> {
    return this.end("SIGTERM");
  }

  /** As a machine that loses its power. */
  async kill(): Promise<void> {
    await this.end("SIGKILL");
  }

  private async end(signal: NodeJS.Signals): Promise<number | null> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode;
    const ended = new Promise<number | null>((resolve) => this.child.once("exit", resolve));
    this.child.kill(signal);
    return ended;
  }
}
