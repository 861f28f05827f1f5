import type { Field } from "../api/types";

export interface Completion {
  /** What replaces the characters from `from` to `to`. */
  text: string;
  from: number;
  to: number;
  /** Said beside it, such as the range of the field's values. */
  hint: string;
}

const OPERATORS = ["=", "!=", "<", "<=", ">", ">=", "~", "has", "in"];
const JOINS = ["and", "or", "not"];
const MOST = 10;

/** What could stand at the caret of a filter: fields, operators, values of the field, or words that join tests. */
export function complete(filter: string, caret: number, fields: readonly Field[]): Completion[] {
  const before = filter.slice(0, caret);
  const word = /(?:"[^"]*|[^\s()=!<>~,"'&|;`\\]*)$/.exec(before)?.[0] ?? "";
  const from = caret - word.length;
  const rest = /^[^\s()=!<>~,"'&|;`\\]*"?/.exec(filter.slice(caret))?.[0] ?? "";
  const to = caret + (word.startsWith('"') ? rest.length : rest.replace(/"$/, "").length);
  const item = (text: string, hint: string): Completion => ({ text, from, to, hint });
  const head = filter.slice(0, from).trimEnd();

  const test = /([^\s()=!<>~,"'&|;`\\]+)\s*(=|!=|<=|>=|<|>|~|\bhas|\bin\s*\([^)]*)$/i.exec(head);
  if (test) {
    const field = fields.find((known) => known.path === test[1] || known.path === `summary.${test[1]}`);
    const typed = word.replace(/^"/, "").toLowerCase();
    return (field?.values ?? [])
      .filter((value) => typeof value !== "object" && String(value).toLowerCase().startsWith(typed))
      .slice(0, MOST)
      .map((value) => item(quote(String(value)), field?.path ?? ""));
  }
  const afterField = /(?:^|[\s(])([^\s()=!<>~,"'&|;`\\]+)$/.exec(head);
  if (afterField && fields.some((field) => field.path === afterField[1]) && !JOINS.includes(afterField[1]!.toLowerCase())) {
    return OPERATORS.filter((operator) => operator.startsWith(word)).map((operator) => item(operator, OPERATOR_WORDS[operator] ?? ""));
  }
  const complete = head === "" || /(?:\b(?:and|or|not)|[(&|])$/i.test(head);
  if (!complete) return JOINS.slice(0, 2).filter((join) => join.startsWith(word.toLowerCase())).map((join) => item(join, ""));
  const typed = word.toLowerCase();
  return fields
    .filter((field) => field.kind !== "object" && field.path.toLowerCase().includes(typed) && field.path !== word)
    .sort((a, b) => Number(b.path.toLowerCase().startsWith(typed)) - Number(a.path.toLowerCase().startsWith(typed)))
    .slice(0, MOST)
    .map((field) => item(field.path, describe(field)));
}

const OPERATOR_WORDS: Record<string, string> = {
  "=": "equal",
  "!=": "there, and not equal",
  "<": "less, or earlier",
  "<=": "",
  ">": "greater, or later",
  ">=": "",
  "~": "contains; * for anything",
  has: "a list with, an object with the key",
  in: "one of (a, b)",
};

function describe(field: Field): string {
  if (field.min !== null && field.max !== null) {
    const short = (value: number) => String(Number(value.toPrecision(3)));
    return field.min === field.max ? short(field.min) : `${short(field.min)} to ${short(field.max)}`;
  }
  const examples = field.values.filter((value) => typeof value === "string").slice(0, 3).join(", ");
  return examples.length > 28 ? `${examples.slice(0, 27)}…` : examples;
}

function quote(text: string): string {
  return /^[^\s()=!<>~,"'&|;`\\]+$/.test(text) && !JOINS.includes(text.toLowerCase()) ? text : `"${text.replace(/[\\"]/g, "\\$&")}"`;
}
