import type { Field } from "../api/types";

/** Columns for a start: what is to be minimised or maximised; in the wide table also how runs differ. */
export function usualColumns(fields: readonly Field[], wide: boolean): string[] {
  const goals = fields
    .filter((field) => field.source === "summary" && field.goal !== null && !field.path.startsWith("summary."))
    .sort((a, b) => goalRank(a) - goalRank(b) || b.runs - a.runs);
  if (!wide) return [...goals.slice(0, 1).map((field) => field.path), "created"];
  const config = fields.filter(
    (field) => field.source === "config" && field.distinct > 1 && (field.kind === "number" || field.kind === "text" || field.kind === "bool"),
  );
  return [...goals.slice(0, 5).map((field) => field.path), ...config.slice(0, 8).map((field) => field.path), "duration", "created", "tags"];
}

function goalRank(field: Field): number {
  const validation = /^(val|valid|validation|eval)\//.test(field.path) ? 0 : /^test\//.test(field.path) ? 2 : 4;
  return validation + (field.goal === "maximize" ? 0 : 1);
}
