import { For, Match, Show, Switch, type JSX } from "solid-js";
import type { Legend } from "./colours";

/** What the colours mean. */
export function ColourLegend(props: { legend: Legend }): JSX.Element {
  const as = <K extends Legend["kind"]>(kind: K): Extract<Legend, { kind: K }> | null =>
    props.legend.kind === kind ? (props.legend as Extract<Legend, { kind: K }>) : null;
  return (
    <div class="cmp-legend">
      <Switch>
        <Match when={as("scale")}>
          {(legend) => (
            <>
              <span class="cmp-legend-name ellipsis">{legend().label}</span>
              <span>{legend().low}</span>
              <span class="cmp-legend-bar" style={{ background: `linear-gradient(to right, ${legend().stops.join(", ")})` }} />
              <Show when={legend().middle}>
                {(middle) => (
                  <>
                    <span title="The median: as many runs have lighter colours as darker ones">{middle()}</span>
                    <span class="cmp-legend-bar" style={{ background: `linear-gradient(to right, ${legend().upper.join(", ")})` }} />
                  </>
                )}
              </Show>
              <span>{legend().high}</span>
              <Missing colour={legend().missing} />
            </>
          )}
        </Match>
        <Match when={as("categories")}>
          {(legend) => (
            <>
              <span class="cmp-legend-name ellipsis">{legend().label}</span>
              <For each={legend().entries.slice(0, 12)}>
                {(entry) => (
                  <span class="cmp-legend-entry">
                    <span class="cmp-swatch" style={{ background: entry.colour }} />
                    <span class="ellipsis">{entry.name}</span>
                  </span>
                )}
              </For>
              <Show when={legend().entries.length > 12}>
                <span class="muted">and {legend().entries.length - 12} more, in the same colours again</span>
              </Show>
              <Missing colour={legend().missing} />
            </>
          )}
        </Match>
      </Switch>
    </div>
  );
}

function Missing(props: { colour: string | null }): JSX.Element {
  return (
    <Show when={props.colour}>
      {(colour) => (
        <span class="cmp-legend-entry">
          <span class="cmp-swatch" style={{ background: colour() }} />
          none
        </span>
      )}
    </Show>
  );
}
