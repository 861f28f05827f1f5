import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { test } from "@playwright/test";
import { fill, place, remove } from "../support/folders.ts";
import { Server } from "../support/server.ts";
import { figure, median, timed } from "./figures.ts";

const quick = process.env["CRESSET_BENCH_QUICK"] === "1";

/** Waits until the server has indexed as many runs and points as there are. */
async function indexed(server: Server, project: string, runs: number, points = 0): Promise<void> {
  for (;;) {
    const at = `${server.url}/api/v1/projects/${project}`;
    const answer = await fetch(`${at}/runs?limit=1`);
    if (answer.ok) {
      const table = (await answer.json()) as { total: number; runs: { state: string }[] };
      if (table.total >= runs) {
        const keys = (await (await fetch(`${at}/keys`)).json()) as { key: string; count: number }[];
        if ((keys.find(({ key }) => key === "train/loss")?.count ?? 0) >= points) return;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const ids = async (server: Server, project: string): Promise<string[]> => {
  const answer = await fetch(`${server.url}/api/v1/projects/${project}/runs?limit=100`);
  return ((await answer.json()) as { runs: { id: string }[] }).runs.map(({ id }) => id);
};

/** The median of the first answers of servers that have just started, and of later ones. */
async function first(folder: string, path: (server: Server) => Promise<string>, ready: (server: Server) => Promise<void>): Promise<{ first: number; later: number; bytes: number }> {
  const firsts: number[] = [];
  const laters: number[] = [];
  let bytes = 0;
  for (let i = 0; i < (quick ? 2 : 5); i++) {
    const server = await Server.start(folder);
    try {
      await ready(server);
      const url = server.url + (await path(server));
      const answer = await timed(url);
      firsts.push(answer.ms);
      bytes = answer.bytes;
      for (let k = 0; k < 5; k++) laters.push((await timed(url)).ms);
    } finally {
      await server.stop();
    }
  }
  return { first: median(firsts), later: median(laters), bytes };
}

test("one long series", async () => {
  const points = quick ? 1_000_000 : 10_000_000;
  const folder = fill(place("long"), "long", "--points", String(points));
  try {
    const chart = await first(
      folder,
      async (server) => `/api/v1/projects/long/series?runs=${(await ids(server, "long"))[0]}&key=train/loss&buckets=1000`,
      (server) => indexed(server, "long", 1, points),
    );
    figure(`chart of ${points / 1e6} M points at 1,000 buckets, first answer of a server`, chart.first, "ms", "at most", 20);
    figure(`chart of ${points / 1e6} M points at 1,000 buckets, again`, chart.later, "ms");
  } finally {
    remove(folder);
  }
});

test("a hundred series", async () => {
  const folder = fill(place("wide"), "wide");
  try {
    const chart = await first(
      folder,
      async (server) => `/api/v1/projects/wide/series?runs=${(await ids(server, "wide")).join(",")}&key=train/loss&buckets=1000`,
      (server) => indexed(server, "wide", 100, 1_000_000),
    );
    figure("100 runs × 1,000 buckets in one request, first answer of a server", chart.first, "ms", "at most", 100);
    figure("100 runs × 1,000 buckets in one request, again", chart.later, "ms");
    figure("100 runs × 1,000 buckets, bytes of the answer, unpacked", chart.bytes / 1024, "KiB");
  } finally {
    remove(folder);
  }
});

test("a table of many runs", async () => {
  const runs = quick ? 1000 : 10_000;
  const folder = fill(place("many"), "many", "--runs", String(runs));
  try {
    const filter = encodeURIComponent("val/auc > 0.8 and config.optimizer.lr < 1e-2 and state = finished");
    const table = await first(
      folder,
      async () => `/api/v1/projects/sweep/runs?filter=${filter}&sort=-val/auc,name&columns=*&limit=200`,
      (server) => indexed(server, "sweep", runs),
    );
    const name = `table of ${runs.toLocaleString("en-US")} runs × 100 fields, filtered and sorted, a page of 200`;
    figure(`${name}, first answer of a server`, table.first, "ms");
    figure(name, table.later, "ms", "at most", 100);
  } finally {
    remove(folder);
  }
});

test("the size of the page", () => {
  const assets = resolve(import.meta.dirname, "../../../crates/cresset-server/assets");
  const files = (folder: string): string[] =>
    readdirSync(folder).flatMap((name) => {
      const path = join(folder, name);
      return statSync(path).isDirectory() ? files(path) : [path];
    });
  const sizes = files(assets)
    .filter((path) => /\.(js|css|html|svg|woff2)$/.test(path))
    .map((path) => Math.min(gzipSync(readFileSync(path)).length, statSync(path).size));
  figure("all files of the page, compressed", sizes.reduce((a, b) => a + b, 0) / 1024, "KiB", "at most", 600);
});
