// The environment record as values that the page shows. Anything may be missing, and anything may be something else than expected:
// the record may come from another version, or from nobody's program at all.

import type { Json } from "../api/types";

type Map = { [key: string]: Json };

export interface Environment {
  host: { name: string | null; user: string | null; system: string | null; cpu: string | null; cores: string | null; memory: number | null };
  container: { runtime: string | null; cpus: number | null; memory: number | null };
  gpus: { model: string; uuid: string | null; bus: string | null }[];
  gpuDriver: string | null;
  program: { executable: string | null; arguments: string[]; cut: boolean; directory: string | null; profile: string | null };
  build: { rustc: string | null; target: string | null; cresset: string | null; optLevel: string | null; debugAssertions: boolean | null };
  git: {
    commit: string | null;
    branch: string | null;
    remote: string | null;
    root: string | null;
    dirty: boolean | null;
    untracked: number | null;
    diff: string | null;
    diffCut: boolean;
    incomplete: string[];
  };
  crates: [name: string, version: string][];
  variables: [name: string, value: string][];
  cluster: [name: string, value: string][];
  incomplete: string[];
  /** Whether there is anything of git, and so on. */
  has: (part: string) => boolean;
}

export function readEnvironment(environment: Map): Environment {
  const part = (name: string): Map => object(environment[name]);
  const host = part("host");
  const container = part("container");
  const program = part("program");
  const build = part("build");
  const git = part("git");
  return {
    host: {
      name: text(host.name) ?? text(environment.host),
      user: text(host.user),
      system: words([text(host.os_version) ?? text(host.os), text(host.architecture), text(host.kernel) && `kernel ${text(host.kernel)}`]),
      cpu: text(host.cpu_model),
      cores: cores(number(host.physical_cores), number(host.logical_cores), number(host.usable_cores)),
      memory: number(host.memory_bytes),
    },
    container: {
      runtime: text(container.runtime),
      cpus: number(container.cpu_limit),
      memory: number(container.memory_limit_bytes),
    },
    gpus: list(environment.gpus).map((gpu) => {
      const { model, uuid, bus } = object(gpu);
      return { model: text(model) ?? text(gpu) ?? "unknown GPU", uuid: text(uuid ?? null), bus: text(bus ?? null) };
    }),
    gpuDriver: text(environment.gpu_driver),
    program: {
      executable: text(program.executable),
      arguments: list(program.arguments).map((argument) => text(argument) ?? JSON.stringify(argument)),
      cut: program.arguments_cut === true,
      directory: text(program.directory),
      profile: text(program.profile),
    },
    build: {
      rustc: text(build.rustc),
      target: text(build.target),
      cresset: text(build.cresset),
      optLevel: text(build.opt_level),
      debugAssertions: typeof build.debug_assertions === "boolean" ? build.debug_assertions : null,
    },
    git: {
      commit: text(git.commit),
      branch: text(git.branch),
      remote: text(git.remote),
      root: text(git.root),
      dirty: typeof git.dirty === "boolean" ? git.dirty : null,
      untracked: number(git.untracked),
      diff: text(git.diff),
      diffCut: git.diff_cut === true,
      incomplete: list(git.incomplete).map(String),
    },
    crates: pairs(part("crates")),
    variables: pairs(part("variables")),
    cluster: [...pairs(part("slurm"), "slurm "), ...pairs(part("kubernetes"), "kubernetes ")],
    incomplete: list(environment.incomplete).map(String),
    has: (name) => environment[name] !== undefined && environment[name] !== null,
  };
}

/** `git@host:owner/name.git` and `https://…` as a link to look at; null where it is none. */
export function remoteLink(remote: string): string | null {
  const ssh = /^(?:ssh:\/\/)?git@([\w.-]+)[:/](.+?)(?:\.git)?$/.exec(remote);
  if (ssh) return `https://${ssh[1]}/${ssh[2]}`;
  try {
    const url = new URL(remote);
    if (url.protocol !== "https:" && url.protocol !== "http:") return null;
    return url.origin + url.pathname.replace(/\.git$/, "");
  } catch {
    return null;
  }
}

/** The environment without what the page shows elsewhere at length. */
export function withoutDiff(environment: Map): Map {
  const git = environment.git;
  if (git === null || typeof git !== "object" || Array.isArray(git) || typeof git.diff !== "string") return environment;
  return { ...environment, git: { ...git, diff: `${git.diff.length.toLocaleString("en-US")} characters, shown under Git` } };
}

function cores(physical: number | null, logical: number | null, usable: number | null): string | null {
  const parts = [
    physical !== null && logical !== null && physical !== logical ? `${physical} cores, ${logical} threads` : null,
    logical !== null && (physical === null || physical === logical) ? `${logical} cores` : null,
    usable !== null && usable !== logical ? `${usable} usable` : null,
  ];
  return words(parts);
}

function words(parts: (string | null | undefined)[]): string | null {
  return parts.filter(Boolean).join(", ") || null;
}

function pairs(map: Map, prefix = ""): [string, string][] {
  return Object.entries(map).map(([name, value]) => [prefix + name, text(value) ?? JSON.stringify(value)]);
}

function object(value: Json | undefined): Map {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? value : {};
}

function list(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}

function text(value: Json | undefined): string | null {
  if (typeof value === "string") return value === "" ? null : value;
  return typeof value === "number" ? String(value) : null;
}

function number(value: Json | undefined): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}
