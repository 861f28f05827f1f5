import { request, type Result } from "./client";
import type { ChartColumns, ColumnsHeader, SeriesColumns } from "./types";

/** The body of `/series`: charts, and the numbers that their offsets count into. */
export interface Columns {
  version: number;
  charts: ChartColumns[];
  numbers: Float64Array;
}

/** Reads a body of `application/vnd.cresset.columns`. Throws a SyntaxError where it is not one. */
export function decodeColumns(body: ArrayBuffer): Columns {
  const bytes = new DataView(body);
  if (body.byteLength < 8 || bytes.getUint32(0, false) !== MAGIC) throw new SyntaxError("not a body of columns");
  const length = bytes.getUint32(4, true);
  const start = 8 + length;
  if (start > body.byteLength || start % 8 !== 0) throw new SyntaxError("a body of columns was cut off");
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(body, 8, length))) as ColumnsHeader;
  return { ...header, numbers: floats(body, start) };
}

/** `CRSC` */
const MAGIC = 0x43525343;

const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

function floats(body: ArrayBuffer, start: number): Float64Array {
  const count = Math.floor((body.byteLength - start) / 8);
  if (LITTLE_ENDIAN) return new Float64Array(body, start, count);
  const view = new DataView(body, start);
  return Float64Array.from({ length: count }, (_, i) => view.getFloat64(i * 8, true));
}

/** The x of a chart. */
export function chartX(columns: Columns, chart: ChartColumns): Float64Array {
  return slice(columns, chart.x.offset, chart.x.length);
}

/** A column of a series; where it is absent it is equal to `last`. */
export function seriesColumn(columns: Columns, series: SeriesColumns, name: "last" | "first" | "min" | "max" | "mean"): Float64Array {
  return slice(columns, series[name] ?? series.last, series.length);
}

/** How many points each bucket has; null: one, or none where `last` is absent. */
export function seriesCount(columns: Columns, series: SeriesColumns): Float64Array | null {
  return series.count === undefined ? null : slice(columns, series.count, series.length);
}

function slice(columns: Columns, offset: number, length: number): Float64Array {
  return columns.numbers.subarray(offset, offset + length);
}

/**
 * Asks for columns, and keeps the latest answers with their ETag: a question that was asked before costs a few bytes, and an
 * answer that did not change is the same object, so that nothing is drawn anew.
 */
export async function getColumns(url: string, signal: AbortSignal): Promise<Result<Columns>> {
  const known = cache.get(url);
  const headers: Record<string, string> = known ? { "if-none-match": known.etag } : {};
  return request(url, { signal, headers, cache: "no-store" }, async (response) => {
    if (response.status === 304 && known) {
      keep(url, known);
      return known.columns;
    }
    const columns = decodeColumns(await response.arrayBuffer());
    const etag = response.headers.get("etag");
    if (etag) keep(url, { etag, columns });
    return columns;
  });
}

interface Known {
  etag: string;
  columns: Columns;
}

const cache = new Map<string, Known>();
/** Bytes of numbers that are kept. */
const CACHE_BYTES = 64 * 1024 * 1024;
let cachedBytes = 0;

function keep(url: string, known: Known): void {
  const old = cache.get(url);
  if (old) cachedBytes -= old.columns.numbers.byteLength;
  cache.delete(url);
  cache.set(url, known);
  cachedBytes += known.columns.numbers.byteLength;
  for (const [oldest, value] of cache) {
    if (cachedBytes <= CACHE_BYTES || oldest === url) break;
    cachedBytes -= value.columns.numbers.byteLength;
    cache.delete(oldest);
  }
}
