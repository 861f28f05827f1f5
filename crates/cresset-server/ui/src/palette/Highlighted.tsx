import { For, type JSX } from "solid-js";

/** A text with the letters at these places set off. */
export function Highlighted(props: { text: string; places: readonly number[] }): JSX.Element {
  const pieces = (): { text: string; hit: boolean }[] => {
    const hits = new Set(props.places);
    const result: { text: string; hit: boolean }[] = [];
    for (let i = 0; i < props.text.length; i++) {
      const last = result.at(-1);
      if (last !== undefined && last.hit === hits.has(i)) last.text += props.text[i];
      else result.push({ text: props.text[i]!, hit: hits.has(i) });
    }
    return result;
  };
  return <For each={pieces()}>{(piece) => (piece.hit ? <mark>{piece.text}</mark> : piece.text)}</For>;
}
