import type { Field } from "../api/types";

/** Columns for a start: what the filter asks for and what is to be minimised or maximised; in the wide table also how runs differ. */
export function usualColumns(fields: readonly Field[], wide: boolean, filter: string): string[] {
  // Who picks runs by a value wants to see it, and to sort by it.
  const named = new Set(filter.match(/[^\s()=!<>~,"'&|;`\\]+/g));
  const from = (source: Field["source"]) => fields.filter((field) => field.source === source && named.has(field.path)).map((field) => field.path);
  const asked = [...from("summary"), ...from("config")];
  const goals = fields
    .filter((field) => field.source === "summary" && field.goal !== null && !field.path.startsWith("summary."))
    .sort((a, b) => goalRank(a) - goalRank(b) || b.runs - a.runs);
  const first = goals.map((field) => field.path).filter((path) => !asked.includes(path));
  // The narrow list has room for two.
  if (!wide) return [...(asked.length ? asked : first.slice(0, 1)), "created"].slice(0, 2);
  const config = fields.filter(
    (field) => field.source === "config" && !asked.includes(field.path) && field.distinct > 1 && (field.kind === "number" || field.kind === "text" || field.kind === "bool"),
  );
  return [...asked, ...first.slice(0, 5), ...config.slice(0, 8).map((field) => field.path), "duration", "created", "tags"];
}

function goalRank(field: Field): number {
  const validation = /^(val|valid|validation|eval)\//.test(field.path) ? 0 : /^test\//.test(field.path) ? 2 : 4;
  return validation + (field.goal === "maximize" ? 0 : 1);
}
