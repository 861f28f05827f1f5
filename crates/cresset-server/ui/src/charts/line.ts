/** Values on the grid of a plot. `undefined`: nothing there, the line goes on; `null`: not a number there, the line breaks. */
export type Values = (number | null | undefined)[];

/** One line of a plot. */
export interface PlotLine {
  /** Unique within the plot. */
  id: string;
  /** What is highlighted together over all plots: a run's id, or a group's name. */
  focus: string;
  label: string;
  color: string;
  dash?: number[];
  y: Values;
  /** Places of its first and last value. */
  from: number;
  to: number;
  /** The raw values, faint behind a smoothed line. */
  ghost?: Values;
  /** The band around the line, drawn always or while the line is highlighted. */
  low?: Values;
  high?: Values;
  band: "always" | "focus";
  /** Places with values that are not finite. */
  marks: Mark[];
  /** What a tooltip says of the place. */
  tip: (index: number) => { value: string; more?: string };
}

export interface Mark {
  index: number;
  kind: "nan" | "inf" | "-inf";
}
