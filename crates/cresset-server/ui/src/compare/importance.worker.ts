/** Grows the forest away from the page, which stays fluid meanwhile. */
import { importances, type Feature, type Importances } from "./forest";

export interface ImportanceQuestion {
  features: Feature[];
  target: Float64Array;
  trees: number;
}

addEventListener("message", (event: MessageEvent<ImportanceQuestion>) => {
  const answer: Importances = importances(event.data.features, event.data.target, { trees: event.data.trees });
  postMessage(answer);
});
