// Other people's text, made fit to show.

/** Escape sequences of terminals: CSI, OSC and the short ones. */
// eslint-disable-next-line no-control-regex
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g;
// eslint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g;
/** Marks that turn the direction of text and could make a line look like another one. */
const DIRECTIONS = /[\u202a-\u202e\u2066-\u2069]/g;

/** Text without what a terminal would do with it. A line that was drawn over (`\r`) ends as the terminal would show it. */
export function withoutAnsi(text: string): string {
  const clean = text.replace(ESCAPES, "").replace(DIRECTIONS, "").replace(/\r\n/g, "\n").replace(/\r+$/g, "");
  const lines = clean.includes("\r")
    ? clean
        .split("\n")
        .map((line) => line.slice(line.lastIndexOf("\r") + 1))
        .join("\n")
    : clean;
  return lines.replace(CONTROLS, "\ufffd");
}

/** The pieces of `text` that match `search` (case does not matter) and those between. */
export function marked(text: string, search: string): { text: string; hit: boolean }[] {
  if (search === "") return [{ text, hit: false }];
  const folded = text.toLowerCase();
  const needle = search.toLowerCase();
  // Lower case can be longer than the text it is of; then places do not agree and nothing is marked.
  if (folded.length !== text.length) return [{ text, hit: false }];
  const pieces: { text: string; hit: boolean }[] = [];
  let from = 0;
  for (let at = folded.indexOf(needle); at >= 0; at = folded.indexOf(needle, from)) {
    if (at > from) pieces.push({ text: text.slice(from, at), hit: false });
    pieces.push({ text: text.slice(at, at + needle.length), hit: true });
    from = at + needle.length;
  }
  if (from < text.length) pieces.push({ text: text.slice(from), hit: false });
  return pieces;
}

/** Words as a shell reads them. */
export function shellLine(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(" ");
}
