import { render } from "solid-js/web";
import "./tokens.css";
import "./base.css";
import "./theme";
import { startRouter } from "./router";
import { Shell } from "./Shell";

startRouter();
render(() => <Shell />, document.getElementById("app")!);
