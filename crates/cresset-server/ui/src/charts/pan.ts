import type uPlot from "uplot";
import { lowerBound } from "./grid";
import type { PlotLine } from "./line";

/**
 * Moving along x while a hand drags. To stroke a hundred lines for every frame takes longer than a frame, so they become a
 * picture that is moved, three windows wide: the middle is a copy of what the plot shows, and the rest is painted bit by bit
 * between frames. The plot itself draws only its axes meanwhile (see `paths` of its series).
 */
export interface Pan {
  /** Moves by so many CSS pixels since the start. False: beyond what was painted; end this one and start another. */
  move: (pixels: number) => boolean;
  end: () => void;
}

/** Milliseconds that a frame may take before less is painted in the next one. What a stroke costs shows only then: browsers defer it. */
const FRAME = 20;

/** `cut`: places at the start of lines that the plot leaves out. */
export function startPanning(u: uPlot, lines: readonly PlotLine[], cut: number): Pan {
  const ratio = window.devicePixelRatio || 1;
  const width = u.over.clientWidth;
  const height = u.over.clientHeight;
  const clip = document.createElement("div");
  clip.className = "plot-clip";
  const strip = document.createElement("canvas");
  strip.className = "plot-strip";
  strip.width = Math.round(width * 3 * ratio);
  strip.height = Math.round(height * ratio);
  clip.append(strip);
  u.over.prepend(clip);
  const context = strip.getContext("2d");
  context?.drawImage(u.ctx.canvas, u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height, width * ratio, 0, width * ratio, height * ratio);

  // Positions are those of the start, wherever the plot is moved to meanwhile.
  const x = u.data[0];
  const left = Float64Array.from(x, (value) => u.valToPos(value, "x") + width);
  const { min: low, max: high } = u.scales["y"]!;
  const top = (value: number) => u.valToPos(value, "y");
  const sides: [number, number][] = [
    [lowerBound(left, 0) - 1, lowerBound(left, width) + 1],
    [lowerBound(left, width * 2) - 1, lowerBound(left, width * 3) + 1],
  ];
  let next = 0;
  let before = performance.now();
  let batch = 1;
  let frame = requestAnimationFrame(paint);

  function paint(now: number): void {
    if (!context || low === undefined || high === undefined) return;
    batch = now - before > FRAME ? Math.max(1, batch >> 1) : batch + 1;
    before = now;
    const until = Math.min(lines.length, next + batch);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.save();
    context.beginPath();
    context.rect(0, 0, width, height);
    context.rect(width * 2, 0, width, height);
    context.clip();
    while (next < until) {
      const line = lines[next++]!;
      context.strokeStyle = line.color;
      context.lineWidth = lines.length > 30 ? 1 : 1.5;
      context.setLineDash(line.dash ?? []);
      for (const [from, to] of sides) {
        const path = new Path2D();
        let pen = false;
        for (let i = Math.max(0, from); i <= Math.min(left.length - 1, to); i++) {
          const value = line.y[i + cut];
          if (value === undefined) continue;
          if (value === null) {
            pen = false;
            continue;
          }
          if (pen) path.lineTo(left[i]!, top(value));
          else path.moveTo(left[i]!, top(value));
          pen = true;
        }
        context.stroke(path);
      }
    }
    context.restore();
    if (next < lines.length) frame = requestAnimationFrame(paint);
  }

  return {
    move: (pixels) => {
      strip.style.transform = `translateX(${pixels}px)`;
      return Math.abs(pixels) < width * 0.95;
    },
    end: () => {
      cancelAnimationFrame(frame);
      clip.remove();
    },
  };
}
