import { createEffect, Match, Show, Switch, type JSX } from "solid-js";
import type { MediaItem } from "../api/types";
import { createParam } from "../app/router";
import { ConfusionMatrix } from "../charts/ConfusionMatrix";
import { areaUnder, type Axes, type Figure, readFigure } from "../charts/figures";
import { BarFigure, GridFigure } from "../charts/GridFigure";
import { XYChart } from "../charts/XYChart";
import { formatNumber } from "../ui/format";
import { Skeleton } from "../ui/Skeleton";
import { createContent, readJson } from "./content";
import { Placeholder } from "./Placeholder";
import type { Gallery } from "./Samples";
import "../charts/charts.css";

type FigureOf<K> = Figure extends infer One ? (One extends { kind: infer Own } ? (K & Own extends never ? never : One) : never) : never;

/** Of so many classes a list can still be chosen from. */
const LISTED = 200;

/** A figure of any kind, from its JSON. */
export function FigureView(props: { item: MediaItem; gallery: Gallery }): JSX.Element {
  const content = createContent<Figure>(
    () => props.item,
    (bytes) => {
      const figure = readFigure(readJson(bytes));
      if (!figure) throw new Error("This kind of figure is not known to this version of Cresset.");
      return figure;
    },
  );
  createEffect(() => {
    const figure = content.value();
    if (figure?.kind === "confusion_matrix" && figure.classes.length <= LISTED) props.gallery.saw(figure.classes);
  });
  const [byRow, setByRow] = createParam("matrix", (text) => text === "share", (share) => (share ? "share" : null));
  const chosen = () => {
    const [trueClass, predictedClass] = [props.gallery.truth(), props.gallery.predicted()];
    return trueClass !== null && predictedClass !== null ? { trueClass, predictedClass } : null;
  };
  const label = (words: string) => `${words} ${props.item.key} at step ${props.item.step}`;
  const is = <K extends Figure["kind"]>(...kinds: K[]) => {
    const figure = content.value();
    return figure && (kinds as string[]).includes(figure.kind) ? (figure as FigureOf<K>) : undefined;
  };

  return (
    <Show
      when={content.value()}
      fallback={
        <div class="figure-room">
          <Show when={content.error()} fallback={<Skeleton />}>
            {(error) => <Placeholder>{error()}</Placeholder>}
          </Show>
        </div>
      }
    >
      <Switch>
        <Match when={is("confusion_matrix")}>
          {(figure) => (
            <ConfusionMatrix
              label={label("Confusion matrix")}
              matrix={figure()}
              byRow={byRow()}
              onByRow={(share) => setByRow(share, { replace: true })}
              chosen={chosen()}
              onPick={(truth, predicted) => props.gallery.pick(props.item.key, truth, predicted)}
            />
          )}
        </Match>
        <Match when={is("roc")}>
          {(figure) => (
            <XYChart
              label={label("ROC curves")}
              kind="line"
              curves={figure().curves}
              xLabel="false positive rate"
              yLabel="true positive rate"
              unit
              diagonal
              note={(curve) => `AUC ${formatNumber(areaUnder(curve), 3)}`}
              height={300}
            />
          )}
        </Match>
        <Match when={is("precision_recall")}>
          {(figure) => (
            <XYChart
              label={label("Precision and recall curves")}
              kind="line"
              curves={figure().curves}
              xLabel="recall"
              yLabel="precision"
              unit
              note={(curve) => `AP ${formatNumber(areaUnder(curve), 3)}`}
              height={300}
            />
          )}
        </Match>
        <Match when={is("line", "scatter")}>
          {(figure) => (
            <>
              <Title axes={figure()} />
              <XYChart
                label={label(figure().title ?? "Figure")}
                kind={figure().kind}
                curves={figure().curves}
                xLabel={figure().xLabel}
                yLabel={figure().yLabel}
                height={300}
              />
            </>
          )}
        </Match>
        <Match when={is("bar")}>
          {(figure) => (
            <>
              <Title axes={figure()} />
              <BarFigure figure={figure()} label={label(figure().title ?? "Bars")} />
            </>
          )}
        </Match>
        <Match when={is("heat_map")}>
          {(figure) => (
            <>
              <Title axes={figure()} />
              <GridFigure figure={figure()} label={label(figure().title ?? "Heat map")} />
            </>
          )}
        </Match>
      </Switch>
    </Show>
  );
}

function Title(props: { axes: Axes }): JSX.Element {
  return <Show when={props.axes.title}>{(title) => <h3 class="figure-title">{title()}</h3>}</Show>;
}
