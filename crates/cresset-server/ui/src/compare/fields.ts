/** Fields to choose from. */
import type { Field } from "../api/types";
import { formatCount } from "../ui/format";
import { isInner, label, natural } from "./frame";

export interface Choice {
  path: string;
  label: string;
  group: string;
  note?: string;
}

const GROUPS: Record<Field["source"], string> = { config: "Configuration", summary: "Summary", run: "Run", environment: "Environment" };
const ORDER: Field["source"][] = ["config", "summary", "run", "environment"];
/** Properties of a run that say something about it among others. */
const OF_RUN = new Set(["state", "created", "duration", "group", "job_type", "host", "alerts", "last_step"]);

/** Fields that can be an axis, a colour or a column, by group and name; those that do not vary last. */
export function choices(fields: readonly Field[], kinds?: ReadonlySet<Field["kind"]>): Choice[] {
  return fields
    .filter((field) => field.kind !== "object" && (kinds === undefined || kinds.has(field.kind)))
    .filter((field) => field.source !== "run" || OF_RUN.has(field.path))
    .sort(
      (a, b) =>
        ORDER.indexOf(a.source) - ORDER.indexOf(b.source) ||
        Number(a.distinct < 2) - Number(b.distinct < 2) ||
        Number(isInner(a.path)) - Number(isInner(b.path)) ||
        natural(a.path, b.path),
    )
    .map((field) => ({
      path: field.path,
      label: label(field.path),
      group: GROUPS[field.source],
      note: field.distinct < 2 ? "same in all" : `${formatCount(field.runs)} runs`,
    }));
}

export const NUMBERS: ReadonlySet<Field["kind"]> = new Set(["number", "seconds", "time", "mixed"]);
