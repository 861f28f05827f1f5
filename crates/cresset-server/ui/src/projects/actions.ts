import type { AuditEntry, Settings } from "../api/types";
import { settingsWords } from "./settings";

/** What the server notes that somebody did. */
export const ACTIONS: readonly string[] = [
  "run.label",
  "run.stop",
  "run.delete",
  "run.restore",
  "run.purge",
  "run.receive",
  "run.expire",
  "project.set",
  "view.save",
  "view.remove",
  "user.create",
  "user.change",
  "user.remove",
  "key.create",
  "key.revoke",
  "login",
  "logout",
  "backup",
  "backup.restore",
  "retention.failed",
];

/** What was done in detail: settings in words, all else as it was noted. */
export function detailWords(entry: Pick<AuditEntry, "action" | "detail">): string {
  if (entry.action !== "project.set") return entry.detail;
  try {
    return settingsWords(JSON.parse(entry.detail) as Settings);
  } catch {
    return entry.detail;
  }
}
