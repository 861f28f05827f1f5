import type { JSX } from "solid-js";
import { EmptyState } from "../ui/EmptyState";

export default function ProjectsPage(): JSX.Element {
  return <EmptyState title="ProjectsPage"></EmptyState>;
}
