// Holds `types.ts`, which the dashboard is written against, to `schema.ts`, which `npm run api` makes from the server's code:
// what the server sends must fit what is expected, and what is sent must fit what the server takes. Only types: nothing of
// this reaches the build, and a disagreement is an error of the compiler at its line.

import type { components } from "./schema";
import type * as T from "./types";

type S = components["schemas"];
type Fits<Given, Wanted> = [Given] extends [Wanted] ? true : { given: Given; wanted: Wanted };
type Check<Agrees extends true> = Agrees;

export type Received = [
  Check<Fits<S["ApiError"], T.ApiError>>,
  Check<Fits<S["ServerInfo"], T.ServerInfo>>,
  Check<Fits<S["Project"], T.Project>>,
  Check<Fits<S["RunTable"], T.RunTable>>,
  Check<Fits<S["RunRow"], T.RunRow>>,
  Check<Fits<S["RunGroup"], T.RunGroup>>,
  Check<Fits<S["Field"], T.Field>>,
  Check<Fits<S["FilterCheck"], T.FilterCheck>>,
  Check<Fits<S["KeyInfo"], T.KeyInfo>>,
  Check<Fits<S["ColumnsHeader"], T.ColumnsHeader>>,
  Check<Fits<S["RunDetail"], T.RunDetail>>,
  Check<Fits<S["TensorSummary"], T.TensorSummary>>,
  Check<Fits<S["HistogramSeries"], T.HistogramSeries>>,
  Check<Fits<S["MediaPage"], T.MediaPage>>,
  Check<Fits<S["ConsolePage"], T.ConsolePage>>,
  Check<Fits<S["AlertPage"], T.AlertPage>>,
  Check<Fits<S["ActionResult"], T.ActionResult>>,
  Check<Fits<S["TrashItem"], T.TrashItem>>,
  Check<Fits<S["View"], T.View>>,
  Check<Fits<S["ProjectSettings"], T.ProjectSettings>>,
  Check<Fits<S["SettingsPreview"], T.SettingsPreview>>,
  Check<Fits<S["AuditEntry"], T.AuditEntry>>,
  Check<Fits<S["LoginWays"], T.LoginWays>>,
  Check<Fits<S["User"], T.User>>,
  Check<Fits<S["RemovedUser"], { keys: number }>>,
  Check<Fits<S["ServerKey"], T.ServerKey>>,
  Check<Fits<S["CreatedKey"], T.CreatedKey>>,
  Check<Fits<S["Change"], T.Change>>,
];

export type Sent = [
  Check<Fits<T.LabelPatch, S["LabelPatch"]>>,
  Check<Fits<T.RunsAction, S["RunsAction"]>>,
  Check<Fits<T.Settings, S["Settings"]>>,
  Check<Fits<T.SettingsChange, S["SettingsChange"]>>,
  Check<Fits<T.Grants, S["Grants"]>>,
  Check<Fits<T.KeyBody, S["KeyBody"]>>,
  Check<Fits<Omit<T.KeyBody, "owner">, S["OwnKeyBody"]>>,
  Check<Fits<{ body: T.View["body"] }, S["ViewBody"]>>,
  Check<Fits<{ key: string }, S["Login"]>>,
  Check<Fits<{ runs?: { project: string; run: string }[] }, S["EmptyTrash"]>>,
];
