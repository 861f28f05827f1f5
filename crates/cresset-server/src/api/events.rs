//! Live updates, as server-sent events (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use cresset_record::Project;
use cresset_store::ChangeKind;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior, interval};
use utoipa::{IntoParams, ToSchema};

use super::wire::State as StateWord;
use crate::access::{Caller, again};
use crate::app::App;
use crate::error::Failure;
use crate::extract::{Anywhere, Query, Read};
use crate::hub::Listener;

/// Browsers that listen at once.
const MAX_CLIENTS: usize = 256;
/// How often a comment is sent, so that nobody between takes the connection for dead.
const ALIVE: Duration = Duration::from_secs(15);

/// Which changes.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct EventsQuery {
    /// Only of this project.
    #[param(min_length = 1, max_length = 128)]
    project: Option<String>,
}

/// A run that changed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Change<'a> {
    version: u64,
    project: &'a str,
    run: &'a str,
    what: What,
    state: StateWord,
    name: &'a str,
    #[schema(required)]
    last_step: Option<u64>,
    /// Scalar, histogram and media keys with new values; null: too many to say.
    #[schema(required)]
    keys: Option<&'a [String]>,
}

/// How a run changed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ChangeKind)]
enum What {
    New,
    Update,
    End,
    Label,
    Gone,
}

/// A change as it is sent.
pub(crate) fn change_json(change: &cresset_store::Change) -> String {
    let change = Change {
        version: change.version,
        project: change.key.project.as_str(),
        run: change.key.run.as_str(),
        what: match change.kind {
            ChangeKind::New => What::New,
            ChangeKind::Update => What::Update,
            ChangeKind::End => What::End,
            ChangeKind::Label => What::Label,
            ChangeKind::Gone => What::Gone,
        },
        state: (&change.state).into(),
        name: &change.name,
        last_step: change.last_step,
        keys: change.keys.as_deref(),
    };
    // All keys are texts, so it cannot fail.
    serde_json::to_string(&change).unwrap_or_default()
}

/// Live updates
///
/// `event: hello` with `{version}` first, then `event: change` with a `Change` each, and a comment every 15 s. A client that
/// fell behind gets `event: resync` with `{}` and asks anew for what it shows. The id of an event is its version.
#[utoipa::path(
    get,
    path = "/events",
    tag = "events",
    params(EventsQuery),
    responses((status = 200, content_type = "text/event-stream", body = String)),
    extensions(("x-role" = json!("read")))
)]
pub(super) async fn events(
    State(app): State<App>,
    Anywhere(caller, ..): Anywhere<Read>,
    Query(query): Query<EventsQuery>,
) -> Result<Response, Failure> {
    let project = match query.project {
        None => None,
        Some(name) => {
            let project = Project::try_from(name)
                .map_err(|e| Failure::bad_request(format!("project: {e}")))?;
            caller.need(cresset_store::Role::Read, Some(&project))?;
            Some(project)
        }
    };
    // Listening begins before the version is read, so that nothing falls between.
    let listener = app.hub().listen(MAX_CLIENTS).ok_or_else(Failure::busy)?;
    let version = app.ask(|store| Ok(store.version()?)).await?;
    let hello = Event::default()
        .event("hello")
        .id(version.to_string())
        .data(format!("{{\"version\":{version}}}"));
    let mut alive = interval(ALIVE);
    alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick is at once.
    alive.tick().await;
    let client = Client {
        closing: app.closing(),
        app,
        caller,
        project,
        listener,
        alive,
        waiting: VecDeque::from([hello]),
    };
    let stream = stream::unfold(client, |mut client| async move {
        let event = client.next().await?;
        Some((Ok::<_, Infallible>(event), client))
    });
    let mut response = Sse::new(stream).into_response();
    // Proxies that gather answers would keep them for too long.
    let no = axum::http::HeaderValue::from_static("no");
    response.headers_mut().insert("x-accel-buffering", no);
    Ok(response)
}

/// Waits for the end of the server.
async fn closed(closing: &mut watch::Receiver<bool>) {
    // An error says that the server is gone altogether.
    let _ = closing.wait_for(|closing| *closing).await;
}

/// One browser that listens.
struct Client {
    app: App,
    closing: watch::Receiver<bool>,
    caller: Caller,
    project: Option<Project>,
    listener: Listener,
    alive: Interval,
    waiting: VecDeque<Event>,
}

impl Client {
    /// The next event; `None` when the server ends or the key was taken back.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            tokio::select! {
                () = closed(&mut self.closing) => return None,
                _ = self.alive.tick() => {
                    self.caller = again(&self.app, &self.caller).await?;
                    return Some(Event::default().comment("alive"));
                }
                batch = self.listener.receiver.recv() => match batch {
                    Ok(batch) => {
                        for update in batch.iter() {
                            let wanted = self.project.as_ref().is_none_or(|p| *p == update.project);
                            if wanted && self.caller.sees(&update.project) {
                                self.waiting.push_back(
                                    Event::default()
                                        .event("change")
                                        .id(update.version.to_string())
                                        .data(&update.json),
                                );
                            }
                        }
                    }
                    Err(RecvError::Lagged(_)) => {
                        self.app.metrics().resync();
                        // What is left is older than what the client will ask for now.
                        self.listener.receiver = self.listener.receiver.resubscribe();
                        return Some(Event::default().event("resync").data("{}"));
                    }
                    Err(RecvError::Closed) => return None,
                },
            }
        }
    }
}
