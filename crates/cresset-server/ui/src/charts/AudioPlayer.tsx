import { createEffect, createSignal, onCleanup, Show } from "solid-js";
import { token } from "../app/theme";
import { createDrawing, createSize } from "./canvas";
import { peaks } from "./waveform";

/** Longer sound is played without its picture: decoded it would take too much memory. */
const DECODED_BYTES = 24 * 1024 * 1024;

/** The browser's player under the sound's waveform. */
export function AudioPlayer(props: { url: string; label: string; bytes: number; seconds: number }) {
  const [host, setHost] = createSignal<HTMLDivElement>();
  const [canvas, setCanvas] = createSignal<HTMLCanvasElement>();
  const [sound, setSound] = createSignal<Float32Array | null>(null);
  const [at, setAt] = createSignal(0);
  const [length, setLength] = createSignal(props.seconds);
  const size = createSize(host);
  let player: HTMLAudioElement | undefined;

  createEffect(() => {
    const { url, bytes } = props;
    setSound(null);
    if (bytes > DECODED_BYTES) return;
    const abort = new AbortController();
    onCleanup(() => abort.abort());
    void decode(url, abort.signal).then((samples) => !abort.signal.aborted && setSound(samples));
  });

  createDrawing(canvas, size, (ctx, width, height) => {
    const samples = sound();
    const middle = height / 2;
    const played = length() > 0 ? (at() / length()) * width : 0;
    ctx.fillStyle = token("--border");
    ctx.fillRect(0, middle - 0.5, width, 1);
    if (samples) {
      const columns = Math.max(1, Math.floor(width / 2));
      const edges = peaks(samples, columns);
      const most = Math.max(1e-6, edges.reduce((a, b) => Math.max(a, Math.abs(b)), 0));
      const [done, rest] = [token("--accent-fill"), token("--border-strong")];
      for (let i = 0; i < columns; i++) {
        ctx.fillStyle = i * 2 < played ? done : rest;
        const [low, high] = [edges[i * 2] ?? 0, edges[i * 2 + 1] ?? 0];
        const top = middle - (high / most) * middle * 0.94;
        ctx.fillRect(i * 2, top, 1.4, Math.max(1, ((high - low) / most) * middle * 0.94));
      }
    }
    ctx.fillStyle = token("--accent");
    ctx.fillRect(played - 0.75, 0, 1.5, height);
  });

  return (
    <div class="audio">
      <div
        ref={setHost}
        class="audio-wave"
        onClick={(event) => {
          if (!player || !(length() > 0)) return;
          const box = event.currentTarget.getBoundingClientRect();
          player.currentTime = ((event.clientX - box.left) / box.width) * length();
        }}
      >
        <canvas ref={setCanvas} role="img" aria-label={`Waveform of ${props.label}`} />
        <Show when={props.bytes > DECODED_BYTES}>
          <span class="muted audio-long">too long for a picture</span>
        </Show>
      </div>
      <audio
        ref={player}
        controls
        preload="none"
        src={props.url}
        aria-label={props.label}
        onTimeUpdate={(event) => setAt(event.currentTarget.currentTime)}
        onDurationChange={(event) => Number.isFinite(event.currentTarget.duration) && setLength(event.currentTarget.duration)}
      />
    </div>
  );
}

async function decode(url: string, signal: AbortSignal): Promise<Float32Array | null> {
  try {
    const response = await fetch(url, { signal });
    if (!response.ok) return null;
    // An offline context decodes without a device that plays.
    const context = new OfflineAudioContext(1, 1, 44_100);
    const buffer = await context.decodeAudioData(await response.arrayBuffer());
    return buffer.getChannelData(0);
  } catch {
    return null;
  }
}
