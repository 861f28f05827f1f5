/** The query of a URL as a record; of a repeated name the last counts. */
export type Query = Record<string, string>;

export function parseQuery(search: string): Query {
  return Object.fromEntries(new URLSearchParams(search));
}

/** `?a=b&c=d`, or nothing. Written so that people can read it: what need not be escaped is not. */
export function formatQuery(query: Record<string, string | undefined>): string {
  const parts = Object.entries(query)
    .filter((entry): entry is [string, string] => entry[1] !== undefined)
    .map(([name, value]) => `${escape(name)}=${escape(value)}`);
  return parts.length ? `?${parts.join("&")}` : "";
}

function escape(text: string): string {
  return encodeURIComponent(text).replace(/%(2F|3A|2C|40|7E|3B)/g, (code) => decodeURIComponent(code)).replace(/%20/g, "+");
}

/** A list of names as one parameter: `a,b`, with `%2C` for a comma inside a name. Null for an empty list. */
export function formatList(items: readonly string[]): string | null {
  return items.length ? items.map((item) => item.replace(/[%,]/g, encodeURIComponent)).join(",") : null;
}

export function parseList(text: string | null): string[] {
  if (!text) return [];
  return text.split(",").map((item) => {
    try {
      return decodeURIComponent(item);
    } catch {
      return item;
    }
  });
}
