import { createSignal, onMount, Show, type JSX } from "solid-js";
import KeyRound from "lucide-solid/icons/key-round";
import { api, get, needsKey, send, setNeedsKey, type Failure } from "../api/client";
import type { LoginWays, OidcWay } from "../api/types";
import { inside } from "../app/base";
import { paths } from "../app/paths";
import { navigate, path } from "../app/router";
import { refetchServer, server } from "../app/server";
import { Button } from "../ui/Button";
import { Input } from "../ui/Input";
import "./login.css";

/** Asks for a key, or to log in elsewhere, where the server wants one; says who is signed in where somebody is. */
export default function LoginPage(): JSX.Element {
  const known = (): string | null => (needsKey() ? null : (server()?.key ?? null));
  const open = (): boolean => !needsKey() && server() !== undefined && server()!.key === null;
  return (
    <div class="login">
      <Show
        when={known()}
        fallback={
          <Show when={open()} fallback={<Form />}>
            <section class="login-card">
              <h1>No key is needed</h1>
              <p>This server answers on your own machine only, and lets you do everything.</p>
              <div class="login-actions">
                <a class="button button-primary" href={paths.projects()}>
                  All projects
                </a>
              </div>
            </section>
          </Show>
        }
      >
        {(key) => (
          <section class="login-card">
            <h1>Signed in</h1>
            <p>
              {server()?.login ? "As" : "With the key"} <strong>{key()}</strong>, which allows {roleWords(server()?.role)}.
            </p>
            <div class="login-actions">
              <a class="button button-primary" href={paths.projects()}>
                All projects
              </a>
              <Show when={server()?.user != null}>
                <a class="button" href={paths.people()}>
                  Your keys
                </a>
              </Show>
              <Button
                onClick={() =>
                  void send("POST", api("/logout")).then(() => {
                    setNeedsKey(true);
                    void refetchServer();
                  })
                }
              >
                Sign out
              </Button>
            </div>
          </section>
        )}
      </Show>
    </div>
  );
}

function roleWords(role: "read" | "write" | "admin" | undefined): string {
  if (role === "admin") return "everything, keys and deleting for good included";
  return role === "write" ? "looking, labels, and the trash" : "looking";
}

function Form(): JSX.Element {
  const [key, setKey] = createSignal("");
  const [busy, setBusy] = createSignal(false);
  const [failure, setFailure] = createSignal<Failure | null>(null);
  const [oidc, setOidc] = createSignal<OidcWay | null>(null);

  // A server that does not say how else one logs in takes keys, as all do.
  onMount(() => void get<LoginWays>(api("/login")).then((ways) => setOidc(ways.ok ? ways.value.oidc : null)));

  async function login(event: Event): Promise<void> {
    event.preventDefault();
    if (busy() || key().trim() === "") return;
    setBusy(true);
    const answer = await send<null>("POST", api("/login"), { key: key().trim() });
    setBusy(false);
    if (!answer.ok) {
      setFailure(answer.failure);
      return;
    }
    setFailure(null);
    setKey("");
    void refetchServer();
    if (path() === paths.login()) navigate(paths.projects(), { replace: true });
    setNeedsKey(false);
  }

  return (
    <form class="login-card" onSubmit={(event) => void login(event)}>
      <div class="login-icon">
        <KeyRound />
      </div>
      <Show
        when={oidc()}
        fallback={
          <>
            <h1>This server needs a key</h1>
            <p>
              Whoever runs it makes one with <code>cresset key create</code>. It is kept in a cookie that scripts cannot read.
            </p>
          </>
        }
      >
        {(way) => (
          <>
            <h1>Sign in</h1>
            {/* Out of the dashboard: the router has no part in it. */}
            <a class="button button-primary" href={begin(way())} target="_self">
              Log in with {way().name}
            </a>
            <p class="login-down" role="status">
              <Show when={way().down}>{way().name} does not answer now. A key still works.</Show>
            </p>
            <p class="login-or">or with a key</p>
          </>
        )}
      </Show>
      <Input
        label="Key"
        showLabel
        type="password"
        autocomplete="current-password"
        autofocus
        value={key()}
        invalid={failure() !== null}
        aria-describedby="login-failure"
        onText={setKey}
      />
      <p id="login-failure" class="login-failure" role="alert">
        <Show when={failure()}>{(why) => words(why())}</Show>
      </p>
      <Button kind={oidc() ? "plain" : "primary"} type="submit" disabled={busy() || key().trim() === ""}>
        {busy() ? "Checking…" : "Sign in"}
      </Button>
    </form>
  );
}

/** Where to begin to log in elsewhere, and to come back to the page that is asked for now. */
function begin(way: OidcWay): string {
  const here = path() === paths.login() ? "/" : (inside(path()) ?? "/") + location.search;
  return `${way.path}?to=${encodeURIComponent(here)}`;
}

function words(failure: Failure): string {
  if (failure.status === 401 || failure.status === 403) return "The server does not know this key, or it was revoked.";
  return failure.message;
}
