/** What a record itself has under a name that people chose: `constructor` and its like are names as good as any. */
export function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
