import { Show, type JSX } from "solid-js";
import Copy from "lucide-solid/icons/copy";
import { server } from "../app/server";
import { Button } from "../ui/Button";
import { copyText } from "../ui/copy";

const CODE = `let run = cresset::init("my-project").config(&settings).start()?;
let mut optimizer = cresset_candle::watch(&run, optimizer, &varmap);

for (step, (images, labels)) in batches.enumerate() {
    let loss = cross_entropy(&model.forward(&images)?, &labels)?;
    optimizer.backward_step(&loss)?;                // loss, learning rate, gradients, weights
    run.log(step as u64, [("train/epoch", epoch)]); // and whatever else you like
}`;
const EXAMPLE = "cargo run --release -p defect-classifier";

/** What a new user sees: how to record the first run. The page follows the folder, and becomes the project with its first run. */
export function FirstRun(): JSX.Element {
  return (
    <section class="proj-first">
      <div class="proj-waiting" role="status">
        <span class="proj-pulse" aria-hidden="true" />
        Waiting for the first run
      </div>
      <h1>Log your first run</h1>
      <p class="proj-lead">
        Wrap the optimizer of your candle training loop. It trains as before, bit for bit, and Cresset records what it does. This page opens the
        run as soon as it begins.
      </p>
      <Snippet title="In your training program" code={CODE} />
      <Snippet title="Or see it at work on the example, a ResNet that finds bad solder joints" code={EXAMPLE} />
      <Show when={server()}>
        {(info) => (
          <Show
            when={info().root}
            fallback={<p class="proj-folder">This server has no run yet that your key may see.</p>}
          >
            {(root) => (
              <p class="proj-folder">
                Watching <code>{root()}</code>. Runs are written to <code>.cresset</code> in the working directory of the program, or to the
                folder that <code>CRESSET_DIR</code> names.
              </p>
            )}
          </Show>
        )}
      </Show>
    </section>
  );
}

function Snippet(props: { title: string; code: string }): JSX.Element {
  return (
    <figure class="proj-snippet">
      <figcaption>
        <span>{props.title}</span>
        <Button small kind="quiet" icon={<Copy />} aria-label={`Copy: ${props.title}`} onClick={() => void copyText(props.code, "Code")}>
          Copy
        </Button>
      </figcaption>
      <pre tabIndex={0} aria-label={props.title}>
        <code>{props.code}</code>
      </pre>
    </figure>
  );
}
