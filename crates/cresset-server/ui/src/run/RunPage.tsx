import type { JSX } from "solid-js";
import { EmptyState } from "../ui/EmptyState";

export default function RunPage(props: { project: string; run: string; tab: string | null }): JSX.Element {
  return <EmptyState title="RunPage">{props.run} {props.tab}</EmptyState>;
}
