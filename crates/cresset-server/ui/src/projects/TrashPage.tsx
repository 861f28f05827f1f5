import type { JSX } from "solid-js";
import { EmptyState } from "../ui/EmptyState";

export default function TrashPage(): JSX.Element {
  return <EmptyState title="TrashPage"></EmptyState>;
}
