/** Where the dashboard is, behind a proxy that has other things beside it: `/cresset`; empty where it is at the top. */
export const base: string =
  typeof document === "undefined" ? "" : (document.querySelector<HTMLMetaElement>('meta[name="cresset-base"]')?.content ?? "");

/** A path without what is before the dashboard; null where the path leads out of it. */
export function inside(path: string, at = base): string | null {
  if (!path.startsWith(at)) return null;
  const rest = path.slice(at.length);
  if (rest === "") return "/";
  return rest.startsWith("/") ? rest : null;
}
