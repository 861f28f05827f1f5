import { type JSX } from "solid-js";
import { Changes } from "./Changes";
import "./projects.css";

/** Who changed what on the whole server. */
export default function ChangesPage(): JSX.Element {
  return (
    <div class="proj set">
      <header class="proj-head">
        <h1>Changes</h1>
      </header>
      <Changes />
    </div>
  );
}
