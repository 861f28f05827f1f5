// A camera that circles a point, and what it needs to know of a cloud. Matrices are column by column, as WebGL takes them.

export interface Cloud {
  points: number;
  /** x y z of each point. */
  positions: Float32Array;
  /** r g b of each point in 0..=1; null where the cloud has none. */
  colours: Float32Array | null;
  centre: [number, number, number];
  /** Distance of the farthest point from the centre, at least a little. */
  radius: number;
  lowest: [number, number, number];
  highest: [number, number, number];
}

export interface Orbit {
  /** Radians around the vertical axis, and above the horizon. */
  azimuth: number;
  elevation: number;
  /** In radii of the cloud. */
  distance: number;
  /** What it looks at, from the cloud's centre, in radii. */
  target: [number, number, number];
}

export const START: Orbit = { azimuth: 0.7, elevation: 0.45, distance: 2.6, target: [0, 0, 0] };

/** Reads the bytes of a point cloud; points that are not finite are left out. Nothing if there is no whole point. */
export function readCloud(bytes: ArrayBuffer, coloured: boolean): Cloud | null {
  const width = coloured ? 6 : 3;
  const available = Math.floor(bytes.byteLength / 4 / width);
  const view = new DataView(bytes);
  const positions = new Float32Array(available * 3);
  const colours = coloured ? new Float32Array(available * 3) : null;
  const lowest: [number, number, number] = [Infinity, Infinity, Infinity];
  const highest: [number, number, number] = [-Infinity, -Infinity, -Infinity];
  let points = 0;
  for (let i = 0; i < available; i++) {
    const at = (k: number) => view.getFloat32((i * width + k) * 4, true);
    const place = [at(0), at(1), at(2)] as const;
    if (!place.every(Number.isFinite)) continue;
    positions.set(place, points * 3);
    for (const k of [0, 1, 2] as const) {
      lowest[k] = Math.min(lowest[k], place[k]);
      highest[k] = Math.max(highest[k], place[k]);
    }
    colours?.set([at(3), at(4), at(5)].map((part) => Math.min(Math.max(part, 0), 1) || 0), points * 3);
    points++;
  }
  if (points === 0) return null;
  const centre = [0, 1, 2].map((k) => ((lowest[k] ?? 0) + (highest[k] ?? 0)) / 2) as [number, number, number];
  const radius = Math.hypot(highest[0] - centre[0], highest[1] - centre[1], highest[2] - centre[2]) || 1;
  return {
    points,
    positions: positions.subarray(0, points * 3),
    colours: colours ? colours.subarray(0, points * 3) : null,
    centre,
    radius,
    lowest,
    highest,
  };
}

/** Turns by a drag of so many pixels; a drag across the view is half a turn. */
export function turned(orbit: Orbit, dx: number, dy: number, size: number): Orbit {
  const limit = Math.PI / 2 - 0.01;
  return {
    ...orbit,
    azimuth: orbit.azimuth - (dx / size) * Math.PI,
    elevation: Math.min(Math.max(orbit.elevation + (dy / size) * Math.PI, -limit), limit),
  };
}

/** Moves closer (factor below 1) or away. */
export function zoomed(orbit: Orbit, factor: number): Orbit {
  return { ...orbit, distance: Math.min(Math.max(orbit.distance * factor, 0.05), 40) };
}

/** Moves what is looked at by a drag of so many pixels. */
export function panned(orbit: Orbit, dx: number, dy: number, size: number): Orbit {
  const { right, up } = axes(orbit);
  const unit = (orbit.distance * 0.8) / size;
  return {
    ...orbit,
    target: [0, 1, 2].map((k) => (orbit.target[k] ?? 0) - (right[k] ?? 0) * dx * unit + (up[k] ?? 0) * dy * unit) as Orbit["target"],
  };
}

/** From the cloud's own coordinates to clip space. z is up. */
export function matrix(cloud: Pick<Cloud, "centre" | "radius">, orbit: Orbit, aspect: number): Float32Array {
  const { right, up, back } = axes(orbit);
  const eye = [0, 1, 2].map((k) => (orbit.target[k] ?? 0) + (back[k] ?? 0) * orbit.distance);
  const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, k) => sum + value * (b[k] ?? 0), 0);
  const near = Math.max(0.01, orbit.distance - 3);
  const far = orbit.distance + 3;
  const focal = 1 / Math.tan(Math.PI / 9);
  // Rows of the view, then of the projection over it, then the scaling of the cloud to radius 1 around 0.
  const view = [right, up, back].map((axis) => [...axis, -dot(axis, eye)]);
  const [vx, vy, vz] = view as [number[], number[], number[]];
  const rows = [
    vx.map((value) => (value * focal) / Math.max(aspect, 1e-6)),
    vy.map((value) => value * focal),
    vz.map((value, k) => (value * (far + near)) / (near - far) + (k === 3 ? (2 * far * near) / (near - far) : 0)),
    vz.map((value) => -value),
  ];
  const scale = 1 / cloud.radius;
  const result = new Float32Array(16);
  rows.forEach((row, i) => {
    for (const k of [0, 1, 2]) result[k * 4 + i] = (row[k] ?? 0) * scale;
    result[12 + i] = (row[3] ?? 0) - scale * dot(row.slice(0, 3), cloud.centre);
  });
  return result;
}

type Axis = readonly [number, number, number];

function axes({ azimuth, elevation }: Orbit): { right: Axis; up: Axis; back: Axis } {
  const [sa, ca, se, ce] = [Math.sin(azimuth), Math.cos(azimuth), Math.sin(elevation), Math.cos(elevation)];
  return { back: [ca * ce, sa * ce, se], right: [-sa, ca, 0], up: [-ca * se, -sa * se, ce] };
}
