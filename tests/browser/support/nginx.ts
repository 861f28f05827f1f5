import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";

/** A proxy that speaks HTTPS, with a Cresset server under a path, as docs/server.md says to set it up. */
export class Nginx {
  private constructor(
    /** The server's address, without a slash at its end. */
    readonly url: string,
    private readonly child: ChildProcess,
    private readonly dir: string,
  ) {}

  /** `strips` takes the path away from what the server is asked for. */
  static async start(server: string, path: string, options: { strips: boolean }): Promise<Nginx> {
    const dir = mkdtempSync(join(tmpdir(), "cresset-nginx-"));
    const [key, certificate, config] = ["key.pem", "cert.pem", "nginx.conf"].map((name) => join(dir, name)) as [string, string, string];
    const request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"];
    execFileSync("openssl", [...request, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate], { stdio: "ignore" });
    const port = await free();
    const own = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${dir}/${name};`).join("\n");
    writeFileSync(
      config,
      `${process.getuid?.() === 0 ? "user root;" : ""}
      daemon off; pid ${dir}/pid; error_log ${dir}/log; events {}
      http { access_log off; ${own}
        server {
          listen 127.0.0.1:${port} ssl; ssl_certificate ${certificate}; ssl_certificate_key ${key};
          location ${path}/ {
            proxy_pass ${server}${options.strips ? "/" : ""};
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
          }
        }
      }`,
    );
    const child = spawn(nginx(), ["-c", config, "-p", dir], { stdio: "ignore" });
    for (let tries = 0; !(await answers(port)); tries++) {
      if (tries > 500 || child.exitCode !== null) throw new Error(`nginx does not start: ${readFileSync(join(dir, "log"), "utf8")}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return new Nginx(`https://127.0.0.1:${port}${path}`, child, dir);
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill("SIGTERM");
    await ended;
    rmSync(this.dir, { recursive: true, force: true });
  }
}

function nginx(): string {
  const given = process.env["CRESSET_NGINX"];
  const places = given ? [given] : ["/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/sbin/nginx"];
  const found = places.find(existsSync);
  if (!found) throw new Error(`no nginx at ${places.join(" or ")}: apt-get install nginx, or set CRESSET_NGINX to the program`);
  return found;
}

/** A port that nobody has now. */
export function free(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => (typeof address === "object" && address ? resolve(address.port) : reject(new Error("no port"))));
    });
  });
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
