/** How well what was typed matches a text. */
export interface Match {
  /** Higher is better; comparable between texts for one search. */
  score: number;
  /** Places in the text that matched, ascending. */
  places: number[];
}

const WORD = /[\p{L}\p{N}]/u;

/**
 * Matches each word of the search somewhere in the text, case ignored: as a piece of it or, failing that, letter by letter in
 * order. What begins a word is worth more than what is inside one, neighbours more than what is scattered, and short texts more
 * than long ones. Null where a word is not found. An empty search matches everything equally.
 */
export function match(search: string, text: string): Match | null {
  const words = fold(search).split(/\s+/).filter(Boolean);
  const folded = fold(text);
  if (folded.length !== text.length) return null;
  const places = new Set<number>();
  let score = 0;
  for (const word of words) {
    const found = piece(word, folded, text) ?? scattered(word, folded, text);
    if (found === null) return null;
    score += found.score;
    for (const place of found.places) places.add(place);
  }
  if (words.length > 0) score += folded === words.join(" ") ? 20 : -Math.min(10, folded.length / 20);
  return { score, places: [...places].sort((a, b) => a - b) };
}

/** Lower case, letter by letter, so that places in both texts agree. */
function fold(text: string): string {
  const lower = text.toLowerCase();
  return lower.length === text.length ? lower : Array.from(text, (c) => (c.toLowerCase().length === c.length ? c.toLowerCase() : c)).join("");
}

/** The best place at which the text holds the word in one piece. */
function piece(word: string, folded: string, text: string): Match | null {
  let best: Match | null = null;
  for (let at = folded.indexOf(word); at >= 0; at = folded.indexOf(word, at + 1)) {
    const end = at + word.length;
    const whole = beginsWord(text, at) && (end === text.length || !WORD.test(text[end]!));
    const score = 10 * word.length + (at === 0 ? 15 : beginsWord(text, at) ? 10 : 0) + (whole ? 5 : 0);
    if (best === null || score > best.score) best = { score, places: Array.from(word, (_, k) => at + k) };
  }
  return best;
}

/** The letters of the word in order, each at the next beginning of a word if there is one, else at the next place. */
function scattered(word: string, folded: string, text: string): Match | null {
  let score = 0;
  let from = 0;
  const places: number[] = [];
  for (const letter of word) {
    const next = folded.indexOf(letter, from);
    if (next < 0) return null;
    let at = next;
    if (places.length === 0 || next !== places.at(-1)! + 1) {
      for (let k = next; k >= 0; k = folded.indexOf(letter, k + 1)) {
        if (beginsWord(text, k) && holdsRest(word, folded, places.length, k)) {
          at = k;
          break;
        }
      }
    }
    score += beginsWord(text, at) ? 6 : places.length > 0 && at === places.at(-1)! + 1 ? 4 : -1;
    places.push(at);
    from = at + 1;
  }
  // A word scattered over a text without a pattern is chance.
  return score >= 2 * word.length ? { score, places } : null;
}

function holdsRest(word: string, folded: string, used: number, at: number): boolean {
  let from = at + 1;
  for (const letter of word.slice(used + 1)) {
    const next = folded.indexOf(letter, from);
    if (next < 0) return false;
    from = next + 1;
  }
  return true;
}

function beginsWord(text: string, at: number): boolean {
  if (at === 0) return true;
  const [before, here] = [text[at - 1]!, text[at]!];
  if (!WORD.test(before)) return true;
  return /\p{Ll}/u.test(before) && /\p{Lu}/u.test(here);
}

/** Items that match, the best first; equal ones in their order. */
export function rank<T>(search: string, items: readonly T[], text: (item: T) => string, bonus: (item: T) => number = () => 0, limit = 50): { item: T; match: Match }[] {
  const found: { item: T; match: Match; order: number }[] = [];
  items.forEach((item, order) => {
    const matched = match(search, text(item));
    if (matched !== null) found.push({ item, match: { ...matched, score: matched.score + bonus(item) }, order });
  });
  return found.sort((a, b) => b.match.score - a.match.score || a.order - b.order).slice(0, limit);
}
