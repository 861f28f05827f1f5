import { createEffect, createSignal, onCleanup, Show } from "solid-js";
import { theme, token } from "../app/theme";
import { createSize } from "./canvas";
import { formatCount, formatNumber } from "../ui/format";
import { channels } from "../ui/palette";
import { type Cloud, matrix, type Orbit, panned, START, turned, zoomed } from "./orbit";
import { ramp } from "./ramp";

const VERTEX = `#version 300 es
in vec3 place;
in vec3 colour;
uniform mat4 view;
uniform float size;
out vec3 shade;
void main() {
  gl_Position = view * vec4(place, 1.0);
  gl_PointSize = clamp(size / gl_Position.w, 1.0, 24.0);
  shade = colour;
}`;
const FRAGMENT = `#version 300 es
precision mediump float;
in vec3 shade;
out vec4 pixel;
void main() {
  vec2 at = gl_PointCoord - 0.5;
  if (dot(at, at) > 0.25) discard;
  pixel = vec4(shade, 1.0);
}`;

/** A point cloud to turn (drag, arrows), move (shift-drag) and zoom (wheel, + and −). */
export function PointCloudView(props: { cloud: Cloud; label: string; height: number }) {
  const [host, setHost] = createSignal<HTMLDivElement>();
  const [canvas, setCanvas] = createSignal<HTMLCanvasElement>();
  const [orbit, setOrbit] = createSignal<Orbit>(START);
  const [pointSize, setPointSize] = createSignal(1);
  const [failed, setFailed] = createSignal(false);
  const size = createSize(host);
  let scene: Scene | null = null;

  createEffect(() => {
    const target = canvas();
    if (!target) return;
    scene?.free();
    scene = start(target);
    setFailed(scene === null);
    if (!scene) return;
    scene.load(props.cloud.positions, props.cloud.colours ?? byHeight(props.cloud, theme() === "dark"));
  });
  createEffect(() => {
    const { width, height } = size();
    const place = orbit();
    const cloud = props.cloud;
    const target = canvas();
    const ground = channels(token("--sunken"));
    const unit = pointSize();
    if (!scene || !target || width === 0 || height === 0) return;
    const density = Math.min(2, devicePixelRatio || 1);
    target.width = Math.round(width * density);
    target.height = Math.round(height * density);
    // Few points are drawn larger, so that they make a surface.
    const radius = unit * density * height * Math.min(0.03, 0.9 / Math.sqrt(cloud.points));
    scene.draw(matrix(cloud, place, width / height), radius * 2.5, ground.map((part) => part / 255));
  });
  onCleanup(() => scene?.free());

  let last: [number, number] | null = null;
  const extent = () => Math.min(size().width, size().height) || 1;
  const onMove = (event: PointerEvent) => {
    if (!last) return;
    const [dx, dy] = [event.clientX - last[0], event.clientY - last[1]];
    last = [event.clientX, event.clientY];
    const move = event.shiftKey || event.buttons === 2 ? panned : turned;
    setOrbit((place) => move(place, dx, dy, extent()));
  };
  const onKey = (event: KeyboardEvent) => {
    const step = 24;
    const keys: Record<string, (place: Orbit) => Orbit> = {
      ArrowLeft: (place) => turned(place, step, 0, extent()),
      ArrowRight: (place) => turned(place, -step, 0, extent()),
      ArrowUp: (place) => turned(place, 0, step, extent()),
      ArrowDown: (place) => turned(place, 0, -step, extent()),
      "+": (place) => zoomed(place, 0.85),
      "=": (place) => zoomed(place, 0.85),
      "-": (place) => zoomed(place, 1.18),
      "0": () => START,
    };
    const move = keys[event.key];
    if (!move) return;
    event.preventDefault();
    event.stopPropagation();
    setOrbit(move);
  };

  return (
    <div class="cloud">
      <div
        ref={setHost}
        class="cloud-view"
        style={{ height: `${props.height}px` }}
        tabindex="0"
        role="application"
        aria-label={`${props.label}: ${props.cloud.points} points. Arrows turn, plus and minus zoom, 0 starts over.`}
        onKeyDown={onKey}
        onPointerDown={(event) => {
          last = [event.clientX, event.clientY];
          event.currentTarget.setPointerCapture(event.pointerId);
        }}
        onPointerMove={onMove}
        onPointerUp={() => (last = null)}
        onPointerCancel={() => (last = null)}
        onContextMenu={(event) => event.preventDefault()}
        on:wheel={{
          passive: false,
          handleEvent: (event: WheelEvent) => {
            event.preventDefault();
            setOrbit((place) => zoomed(place, Math.exp(event.deltaY * 0.0012)));
          },
        }}
      >
        <canvas ref={setCanvas} aria-hidden="true" />
        <Show when={failed()}>
          <p class="run-placeholder">This browser draws no WebGL 2, which point clouds need. The file can be downloaded.</p>
        </Show>
      </div>
      <div class="cloud-bar">
        <span class="muted">
          {formatCount(props.cloud.points)} points · {sides(props.cloud)}
        </span>
        <label>
          Point size
          <input
            type="range"
            min="0.3"
            max="3"
            step="0.1"
            value={pointSize()}
            onInput={(event) => setPointSize(Number(event.currentTarget.value))}
          />
        </label>
        <button type="button" class="link-button" onClick={() => setOrbit(START)}>
          Reset view
        </button>
      </div>
    </div>
  );
}

interface Scene {
  load(positions: Float32Array, colours: Float32Array): void;
  draw(view: Float32Array, size: number, ground: number[]): void;
  free(): void;
}

function start(canvas: HTMLCanvasElement): Scene | null {
  const gl = canvas.getContext("webgl2", { antialias: true, powerPreference: "low-power" });
  if (!gl) return null;
  const program = link(gl);
  if (!program) return null;
  const buffers = [gl.createBuffer(), gl.createBuffer()];
  let points = 0;
  return {
    load(positions, colours) {
      points = positions.length / 3;
      [positions, colours].forEach((values, i) => {
        gl.bindBuffer(gl.ARRAY_BUFFER, buffers[i] ?? null);
        gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
        const place = gl.getAttribLocation(program, i === 0 ? "place" : "colour");
        gl.enableVertexAttribArray(place);
        gl.vertexAttribPointer(place, 3, gl.FLOAT, false, 0, 0);
      });
    },
    draw(view, size, ground) {
      gl.viewport(0, 0, canvas.width, canvas.height);
      gl.clearColor(ground[0] ?? 0, ground[1] ?? 0, ground[2] ?? 0, 1);
      gl.enable(gl.DEPTH_TEST);
      gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
      gl.useProgram(program);
      gl.uniformMatrix4fv(gl.getUniformLocation(program, "view"), false, view);
      gl.uniform1f(gl.getUniformLocation(program, "size"), size);
      gl.drawArrays(gl.POINTS, 0, points);
    },
    free() {
      buffers.forEach((buffer) => gl.deleteBuffer(buffer));
      gl.deleteProgram(program);
    },
  };
}

function link(gl: WebGL2RenderingContext): WebGLProgram | null {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]] as const) {
    const shader = gl.createShader(kind);
    if (!shader) return null;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  return gl.getProgramParameter(program, gl.LINK_STATUS) ? program : null;
}

/** Clouds without colours of their own are coloured by height. */
function byHeight(cloud: Cloud, dark: boolean): Float32Array {
  const table = ramp(dark);
  const colours = new Float32Array(cloud.points * 3);
  const [low, high] = [cloud.lowest[2], cloud.highest[2]];
  for (let i = 0; i < cloud.points; i++) {
    const at = high > low ? ((cloud.positions[i * 3 + 2] ?? low) - low) / (high - low) : 0.5;
    // The end of the ramp that is the ground is left out.
    const from = Math.round((0.25 + 0.75 * at) * 255) * 3;
    for (let k = 0; k < 3; k++) colours[i * 3 + k] = (table[from + k] ?? 0) / 255;
  }
  return colours;
}

function sides(cloud: Cloud): string {
  return cloud.highest.map((high, k) => formatNumber(high - (cloud.lowest[k] ?? 0), 3)).join(" × ");
}
