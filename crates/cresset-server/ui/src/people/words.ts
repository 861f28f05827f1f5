import type { Grants, Role, ServerKey } from "../api/types";

export const ROLES: readonly { value: Role; label: string }[] = [
  { value: "read", label: "Read: look" },
  { value: "write", label: "Write: send runs, label, trash" },
  { value: "admin", label: "Admin: settings, deleting for good" },
];

/** `write in solder`, … ; empty: nothing yet. */
export function grantWords(grants: Grants): string[] {
  const everywhere = grants.role === null ? [] : [`${grants.role} everywhere`];
  return [...everywhere, ...grants.projects.map(({ project, role }) => `${role} in ${project}`)];
}

/** What a key allows, and where. */
export function reach(key: ServerKey): string {
  const place = key.project === null ? "everywhere" : `in ${key.project}`;
  if (key.owner === null) return `${key.role} ${place}`;
  if (key.role === "admin") return key.project === null ? `all that ${key.owner} may` : `all that ${key.owner} may ${place}`;
  return `${key.role} ${place}, as far as ${key.owner} may`;
}

/** Whether a key opens nothing any more by itself. */
export function hasEnded(key: ServerKey, now: number): boolean {
  return key.ends !== null && Date.parse(key.ends) <= now;
}

/** Days that a key lasts, of what somebody wrote: null for one that does not end, undefined for what makes no sense. */
export function readDays(text: string): number | null | undefined {
  if (text.trim() === "") return null;
  const days = Number(text.trim());
  return Number.isInteger(days) && days >= 1 && days <= 36525 ? days : undefined;
}
