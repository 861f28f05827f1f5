// The API `/api/v1` as the dashboard sees it. JSON has no NaN and no infinities: such numbers come as the texts "NaN", "inf"
// and "-inf". Times are RFC 3339 texts in UTC unless a name ends in `_us` (microseconds since 1970). Durations are seconds.

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
/** A number, or one that JSON lacks. */
export type Num = number | "NaN" | "inf" | "-inf";
export type State = "running" | "finished" | "failed" | "stopped" | "crashed";
export type Level = "trace" | "debug" | "info" | "warn" | "error";
export type Role = "read" | "write" | "admin";
export type Goal = "minimize" | "maximize";

/** Every error: 400 401 403 404 405 408 409 413 414 415 416 421 422 429 500 503. */
export interface ApiError {
  error: {
    /** A word for programs, such as `bad_filter`. */
    code: string;
    /** What was wrong, where, and what to do. */
    message: string;
    /** For `bad_filter`: the character at which the trouble begins, counted from 1. */
    column?: number;
  };
}

/** GET /api/v1/server */
export interface ServerInfo {
  version: string;
  /** The folder of runs, for a dashboard on the own machine; null for a server with keys. */
  root: string | null;
  /** The highest that this person has somewhere. */
  role: Role;
  /** What they have in all projects; null: they have none there. */
  role_everywhere: Role | null;
  /** The name of the key that is used, or of the user who is logged in; null where no key is needed. */
  key: string | null;
  /** Whose key it is; null where it is nobody's. */
  user: string | null;
  /** Whether they logged in by OpenID Connect. */
  login: boolean;
  now: string;
  /** Seconds that what is deleted stays in the trash. */
  trash_seconds: number;
}

/** GET /api/v1/projects → Project[], latest activity first */
export interface Project {
  name: string;
  runs: number;
  states: Partial<Record<State, number>>;
  created: string | null;
  active: string | null;
  /** Alerts of level warn and error. */
  alerts: number;
  tags: string[];
}

/**
 * GET /api/v1/projects/{project}/runs
 *   ?filter=    the filter language of `cresset runs`
 *   &search=    text that name, id, a tag, the group or the notes contain
 *   &sort=      fields separated by commas, `-` before one puts the highest first (default -created)
 *   &group=     fields separated by commas
 *   &columns=   fields separated by commas; without it `values` is empty; `*` is all of config and summary
 *   &offset=&limit=   default 0 and 200, at most 10000
 */
export interface RunTable {
  /** Rises with every change of any run of the project. */
  version: number;
  /** Runs of the project. */
  total: number;
  /** Those that pass. */
  matched: number;
  runs: RunRow[];
  /** With `group`: all groups of the runs that pass, in the order of their first run. */
  groups: RunGroup[];
}
export interface RunRow {
  id: string;
  project: string;
  /** The run's place among all runs that the project ever had, from 0; never changes. Colours come from it. */
  ordinal: number;
  name: string;
  state: State;
  /** Why it failed or was stopped. */
  reason: string | null;
  created: string | null;
  /** Time of the latest record. */
  active: string | null;
  duration: number;
  group: string | null;
  job_type: string | null;
  tags: string[];
  notes: string;
  host: string | null;
  alerts: number;
  lost: number;
  damage: number;
  /** The highest step of any series. */
  last_step: number | null;
  /** By field path: `config.lr`, `val/auc`, … */
  values: Record<string, Json>;
}
export interface RunGroup {
  /** One value for each field of `group`; null where the runs have none. */
  key: Json[];
  runs: number;
  /** Ids of up to 1,000 of them. */
  ids: string[];
  /** Over the chosen columns with numbers. */
  mean: Record<string, Num>;
  std: Record<string, Num>;
  min: Record<string, Num>;
  max: Record<string, Num>;
}

/** GET /api/v1/projects/{project}/fields → Field[]: what can be shown, filtered and sorted */
export interface Field {
  /** As filters write it: `state`, `config.lr`, `val/auc`. */
  path: string;
  source: "run" | "config" | "summary" | "environment";
  kind: "number" | "text" | "bool" | "list" | "object" | "time" | "seconds" | "mixed";
  /** Runs that have it. */
  runs: number;
  goal: Goal | null;
  unit: string | null;
  /** Of finite numbers. */
  min: number | null;
  max: number | null;
  /** Distinct values, counted up to 1,000. */
  distinct: number;
  /** The most frequent values, at most 20. */
  values: Json[];
}

/** GET /api/v1/filter?project=&filter= : whether a filter can be read */
export interface FilterCheck {
  ok: boolean;
  message: string | null;
  column: number | null;
  /** Fields that it names and no run of the project has. */
  unknown: string[];
}

/** GET /api/v1/projects/{project}/keys?runs=a,b → KeyInfo[]: series of these runs (of all, without `runs`), by key */
export interface KeyInfo {
  key: string;
  kind: "scalar" | "histogram" | "media";
  /** For media: `image`, `table`, `figure:roc`, … */
  media: string[];
  /** Runs that have it. */
  runs: number;
  ranks: number[];
  /** Points or values over all runs. */
  count: number;
  last_step: number | null;
  unit: string | null;
  goal: Goal | null;
  step_metric: string | null;
  hidden: boolean;
}

/**
 * GET /api/v1/projects/{project}/series   → binary, with ETag (application/vnd.cresset.columns)
 *   ?runs=a,b,c  &key=train/loss&key=val/auc   (key may repeat; keys × runs ≤ 20,000)
 *   &x=step | relative | wall | metric:KEY     (relative: seconds since the run's start; wall: seconds since 1970)
 *   &from=&to=    window on the x axis, both inclusive; without them all
 *   &buckets=     default 1000, 1 to 10000
 *   &ranks=       `0` (default: the lowest rank that has the series), `all`, or numbers
 *
 * The body: the four bytes `CRSC`, a u32 (little-endian) with the length of the JSON header, the header (padded with spaces so
 * that what follows begins at a multiple of 8), then one array of little-endian f64, into which every `offset` counts.
 */
export interface ColumnsHeader {
  version: number;
  charts: ChartColumns[];
}
export interface ChartColumns {
  key: string;
  unit: string | null;
  goal: Goal | null;
  step_metric: string | null;
  x: {
    /**
     * `points`: few enough distinct x; every x is there exactly, and a value that shares its x with others of its series is the last.
     * `buckets`: equal intervals of x; bucket i is [from + i·width, from + (i+1)·width), the last one closed; x is its middle.
     */
    mode: "points" | "buckets";
    from: number;
    to: number;
    width: number;
    /** Ascending x of all series of the chart. */
    offset: number;
    length: number;
  };
  series: SeriesColumns[];
}
export interface SeriesColumns {
  run: string;
  rank: number;
  /** Columns cover x[start .. start+length]; where `count` is 0 the series has nothing. */
  start: number;
  length: number;
  /** Points of the whole series and within the window. */
  total: number;
  points: number;
  /** Exact over the points of each bucket. Only finite values count for min, max and mean (NaN where there is none). `first`
   *  and `last` (by x, then arrival) may be NaN or infinite. */
  last: number;
  /** Absent in mode `points` where each bucket has one point at most; then all are equal to `last`. */
  first?: number;
  min?: number;
  max?: number;
  mean?: number;
  count?: number;
  /** [index into x, NaN, +inf, −inf]: buckets with values that are not finite. */
  nonfinite: [number, number, number, number][];
  last_step: number | null;
}

/** GET /api/v1/projects/{project}/runs/{run} */
export interface RunDetail extends RunRow {
  config: { [key: string]: Json };
  summary: { [key: string]: Json };
  environment: { [key: string]: Json };
  config_history: { time: string; values: { [key: string]: Json } }[];
  writers: { rank: number; state: State; host: string | null; world_size: number | null; cresset_version: string }[];
  lost_by_reason: { reason: string; words: string; points: number; values: number }[];
  damage_list: { rank: number; segment: number; from: number; to: number; what: string }[];
  resumed: { time: string; rank: number; from_step: number | null }[];
  keys: KeyInfo[];
  /** Bytes of its logs and blobs. */
  log_bytes: number;
  blob_bytes: number;
  console_lines: number;
  path: string | null;
  /** A stop was asked for and the run has not ended yet. */
  stop_requested: boolean;
}

/** GET …/runs/{run}/tensors?prefix=gradients/ → TensorSummary[]: histogram series, what looks wrong first */
export interface TensorSummary {
  key: string;
  rank: number;
  observations: number;
  first_step: number;
  last_step: number;
  last: TensorStats;
  /** NaN and infinities in all observations. */
  nonfinite: number;
  first_nonfinite_step: number | null;
  /** 0 is unsuspicious; higher is worse. */
  suspicion: number;
  /** Such as `3 NaN since step 120`, `norm grew 1,000-fold`, `96 % zeros`. */
  reasons: string[];
  /** The L2 norm over time, at most 60 values. */
  norms: Num[];
}
export interface TensorStats {
  count: number; zeros: number; nan: number; pos_inf: number; neg_inf: number;
  min: Num; max: Num; mean: Num; std: Num; norm: Num;
}
/** GET …/runs/{run}/histograms?key=&rank=&columns=200 &from=&to= (steps) */
export interface HistogramSeries {
  key: string;
  rank: number;
  /** At one scale for all columns; edges are powers of 2^(2^-scale). */
  scale: number;
  columns: HistogramColumn[];
}
export interface HistogramColumn {
  /** Observations that were merged, and the steps of the first and last of them. */
  observations: number;
  first_step: number;
  last_step: number;
  stats: TensorStats;
  zero: number;
  /** Bucket offset+k counts magnitudes in (base^(offset+k), base^(offset+k+1)]. */
  positive: { offset: number; counts: number[] };
  negative: { offset: number; counts: number[] };
}

/**
 * GET …/runs/{run}/media ?key= (may repeat; * allowed) &kind=image &rank= &step= | &from=&to= &true_class=&predicted_class=
 *   &order=step|-step (default -step) &offset=&limit= (default 0, 60; at most 500)
 */
export interface MediaPage {
  total: number;
  /** Distinct steps of all that match but for `step`, ascending, at most 5,000. */
  steps: number[];
  items: MediaItem[];
}
export interface MediaItem {
  key: string;
  rank: number;
  /** Place in its series, from 0. */
  index: number;
  step: number;
  time: string;
  caption: string | null;
  /** `docs/run-log.md` §8: tagged by `kind`. */
  detail: MediaDetail;
  /** Inline content. */
  text: string | null;
  blob: BlobInfo | null;
}
export interface BlobInfo {
  digest: string;
  bytes: number;
  media_type: string;
  /** Path on this server. */
  url: string;
  /** Whether the blob is there. */
  present: boolean;
}
export interface BoxDetail { x: Num; y: Num; width: Num; height: Num; label: string; score?: Num }
export interface MaskDetail { name: string; blob: { digest: string; bytes: number; media_type: string }; classes: string[] }
export interface SampleDetail { dataset_index: number; true_class: string; predicted_class: string; confidence: Num }
export type MediaDetail =
  | { kind: "text" } | { kind: "html" } | { kind: "video" }
  | { kind: "image"; width: number; height: number; boxes?: BoxDetail[]; masks?: MaskDetail[]; sample?: SampleDetail }
  | { kind: "audio"; sample_rate: number; channels: number; seconds: number }
  | { kind: "point_cloud"; points: number; coloured: boolean }
  | { kind: "table"; rows: number; columns: number }
  | { kind: "figure"; figure: string }
  | { kind: "file"; name: string; role?: string; metadata?: { [key: string]: Json } };
/** Figures and tables are blobs of JSON (or inline text); see `docs/run-log.md` §8 for their fields. */

/** GET …/runs/{run}/blobs/{digest}: the bytes; ranges work. HTML and SVG come with a sandboxing CSP. ?download=NAME to save. */

/** GET …/runs/{run}/console ?after=NUMBER &before=NUMBER &limit=500 (≤ 5000) &level=warn (at least) &search= &rank= */
export interface ConsolePage {
  /** Lines that match, and of all. */
  matched: number;
  total: number;
  lines: ConsoleLine[];
}
export interface ConsoleLine {
  number: number;
  rank: number;
  time: string;
  level: Level;
  target: string;
  message: string;
  fields: { [key: string]: Json };
}

/** GET /api/v1/projects/{project}/alerts, GET …/runs/{run}/alerts ?level=warn (at least) &limit=&offset= → newest first; `total` counts those of the level */
export interface AlertPage { total: number; alerts: Alert[] }
export interface Alert {
  project: string; run: string; run_name: string; rank: number;
  time: string; level: Level; title: string; text: string; step: number | null;
}

/** PATCH …/runs/{run}; a missing field stays. → RunRow */
export interface LabelPatch { name?: string; group?: string | null; notes?: string; tags?: string[] }
/** POST /api/v1/projects/{project}/runs/actions → ActionResult. Runs that are being written cannot be deleted. */
export interface RunsAction {
  runs: string[];
  action: "add_tags" | "remove_tags" | "set_group" | "delete" | "restore" | "stop";
  tags?: string[];
  group?: string | null;
  reason?: string;
}
export interface ActionResult { done: string[]; refused: { run: string; why: string }[] }
/** DELETE /api/v1/projects/{project} → ActionResult (all its runs go to the trash) */
/** GET /api/v1/trash → TrashItem[]; POST /api/v1/trash/empty {runs?: {project, run}[]} → ActionResult (for good; admin) */
export interface TrashItem { project: string; run: string; name: string; deleted: string; purged_after: string; bytes: number }

/** GET, PUT /api/v1/projects/{project}/settings; POST …/settings/preview says what would go by them. */
export interface ProjectSettings {
  settings: Settings;
  /** Of its runs' folders, at most a minute old. */
  bytes: number;
  /** Whether this person may set them. */
  may_change: boolean;
}
/** PUT …/settings; 409 where something else is set than was seen. */
export interface SettingsChange { settings: Settings; seen: Settings | null }
export interface Settings {
  /** Seen by those only who have a role in this very project, or who are admin everywhere. */
  private: boolean;
  /** Bytes; null: no limit. */
  quota: number | null;
  /** Of each series of checkpoints; null: all. */
  keep_checkpoints: number | null;
  /** null: for good. */
  media_days: number | null;
}
export interface SettingsPreview {
  blobs: number;
  bytes: number;
  runs: number;
  /** Up to ten of the runs, those that lose most first. */
  losing: { run: string; name: string; blobs: number; bytes: number }[];
}

/** GET /api/v1/audit ?project= &run= &who= &action= &before=NUMBER &limit=100 (≤ 1000) → AuditEntry[], newest first */
export interface AuditEntry {
  number: number;
  time: string;
  /** A key, a user who is logged in, a user of the server's machine, or a rule. */
  who: string;
  /** `key`, `login` (by OpenID Connect), `open` (no key needed), `shell` (a command at the server) or `rule`. */
  via: string;
  address: string | null;
  action: string;
  project: string | null;
  run: string | null;
  detail: string;
  /** The detail for people. */
  words: string;
}

/** GET /api/v1/users → User[]; PUT /api/v1/users/{name} Grants → User; DELETE → {keys}: how many went with them. For admins everywhere. */
export interface Grants {
  /** In all projects that are not private; null: only in those named. */
  role: Role | null;
  projects: { project: string; role: Role }[];
}
export interface User extends Grants {
  name: string;
  created: string;
  keys: number;
}
/** GET, POST, DELETE /api/v1/access-keys[/{name}] for admins everywhere; …/own-keys for everybody, of their own. */
export interface ServerKey {
  name: string;
  role: Role;
  /** null: all. */
  project: string | null;
  /** null: nobody. */
  owner: string | null;
  created: string;
  used: string | null;
  ends: string | null;
}
export interface KeyBody { name: string; role: Role; project: string | null; owner?: string | null; days: number | null }
/** The only answer that has the secret. */
export interface CreatedKey { key: ServerKey; secret: string }

/** GET /api/v1/projects/{project}/views → View[]; GET/PUT/DELETE …/views/{name}. `default` is the one a project opens with. */
export interface View { name: string; updated: string; body: Json }

/** GET /api/v1/events?project= : SSE. `event: hello` {version}; `event: change` Change; a comment every 15 s. A client that fell behind
 *  gets `event: resync` {} and asks anew for what it shows. */
export interface Change {
  version: number;
  project: string;
  run: string;
  what: "new" | "update" | "end" | "label" | "gone";
  state: State;
  name: string;
  last_step: number | null;
  /** Scalar, histogram and media keys with new values; null: too many to say. */
  keys: string[] | null;
}

/** GET /api/v1/login → LoginWays; POST /api/v1/login {key} → 204 and a cookie; POST /api/v1/logout. Mutations need the header `x-cresset: 1`. */
export interface LoginWays { oidc: OidcWay | null }
export interface OidcWay {
  /** What people know the issuer by. */
  name: string;
  /** Where a browser begins, with `?to=` and the page to come back to, below where the dashboard is. */
  path: string;
  /** Whether the issuer did not answer when it was last asked. */
  down: boolean;
}
