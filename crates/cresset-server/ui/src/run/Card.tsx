import { createUniqueId, Show, type JSX } from "solid-js";

/** A titled part of a page. */
export function Card(props: { title: JSX.Element; tools?: JSX.Element; note?: JSX.Element; class?: string; children: JSX.Element }): JSX.Element {
  const id = createUniqueId();
  return (
    <section class={`run-card ${props.class ?? ""}`} aria-labelledby={id}>
      <header class="run-card-head">
        <h2 id={id}>{props.title}</h2>
        <Show when={props.note}>
          <span class="run-card-note">{props.note}</span>
        </Show>
        <div class="run-card-tools">{props.tools}</div>
      </header>
      {props.children}
    </section>
  );
}

/** Names and values. Values that are null are left out. */
export function Facts(props: { facts: readonly (readonly [name: string, value: JSX.Element | null | undefined])[] }): JSX.Element {
  return (
    <dl class="run-pairs">
      {props.facts
        .filter(([, value]) => value !== null && value !== undefined && value !== "")
        .map(([name, value]) => (
          <div>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}
