/** Parts of a run's record as documents that can be laid side by side. */
import type { Json, RunDetail } from "../api/types";
import { isInner } from "./frame";

type Document = { [key: string]: Json };

/** Which code ran: git, program, build, crates. A diff is long; its size and a fingerprint stand for it. */
export function codeOf(run: RunDetail): Document {
  const { git, program, build, crates } = run.environment;
  const code: Document = {};
  if (isDocument(git)) {
    const { diff, ...rest } = git;
    code["git"] = { ...rest, ...(typeof diff === "string" && diff !== "" ? { diff: inBrief(diff) } : {}) };
  }
  for (const [name, value] of Object.entries({ program, build, crates })) if (value !== undefined) code[name] = value;
  return code;
}

/** What it ran on: all else of the environment. */
export function machineOf(run: RunDetail): Document {
  const { git: _git, program: _program, build: _build, crates: _crates, ...rest } = run.environment;
  return rest;
}

export function runOf(run: RunDetail): Document {
  const { state, reason, created, duration, group, job_type, tags, notes, last_step } = run;
  const all: Document = { state, reason, created, duration, group, job_type, tags, notes, last_step };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null && value !== ""));
}

/** The summary without what Cresset and the machine record by themselves. */
export function usefulSummary(summary: Document): Document {
  return Object.fromEntries(Object.entries(summary).filter(([key]) => !isInner(key)));
}

function inBrief(diff: string): string {
  const lines = diff.split("\n");
  const count = (sign: string): number => lines.filter((line) => line.startsWith(sign) && !line.startsWith(sign.repeat(3))).length;
  return `+${count("+")} −${count("-")} lines (${fingerprint(diff)})`;
}

/** Six letters that differ where texts differ (FNV-1a). */
function fingerprint(text: string): string {
  let state = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193);
  return (state >>> 0).toString(36).padStart(7, "0").slice(-6);
}

function isDocument(value: Json | undefined): value is Document {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
