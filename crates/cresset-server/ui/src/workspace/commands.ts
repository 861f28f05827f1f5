import type { Accessor } from "solid-js";
import type { KeyInfo } from "../api/types";
import { provideCommands, type Command } from "../app/commands";
import type { ChartSettings } from "../charts/settings";
import { setView } from "./view";

/** More panels than this are found by the page's own search. */
const MOST_PANELS = 2000;
const WEIGHTS = [0, 0.6, 0.9, 0.99] as const;

/** What the palette can do while a project's workspace is open: jump to a panel, smooth, choose scales, save the view. */
export function provideWorkspaceCommands(page: {
  keys: Accessor<readonly KeyInfo[]>;
  settings: ChartSettings;
  /** Null where there is nothing to save, or no right to. */
  save: Accessor<(() => void) | null>;
}): void {
  const action = (id: string, title: string, run: () => void): Command => ({ id: `workspace-${id}`, title, section: "Actions", run });
  provideCommands(() => {
    const { settings } = page;
    const save = page.save();
    return [
      ...(save === null ? [] : [action("save", "Save view for the project", save)]),
      ...WEIGHTS.filter((weight) => weight !== settings.smoothing()).map((weight) =>
        action(`smooth-${weight}`, weight === 0 ? "No smoothing" : `Smoothing ${weight}`, () => settings.setSmoothing(weight)),
      ),
      action("log-y", settings.logY() ? "Linear y axes" : "Logarithmic y axes", () => settings.setLogY(!settings.logY())),
      ...(settings.zoom() === null ? [] : [action("zoom", "Show whole runs again", () => settings.setZoom(null))]),
      ...page
        .keys()
        .filter((info) => info.kind === "scalar" && !info.hidden)
        .slice(0, MOST_PANELS)
        .map((info): Command => ({ id: `panel-${info.key}`, title: info.key, section: "Panels", run: () => setView.maximised(info.key) })),
    ];
  });
}
