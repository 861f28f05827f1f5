//! The run's console log, from `tracing`.

use std::fmt;
use std::sync::Arc;

use cresset_record::{ConsoleLine, Level, Record};
use serde_json::{Map, Value as Json};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use crate::recorder::Recorder;
use crate::run::Run;

impl Run {
    /// A layer that records events as the run's console log, with level, target, enclosing spans and fields.
    ///
    /// ```
    /// # let run = cresset_run::init("doc").disabled(true).start()?;
    /// use tracing_subscriber::layer::SubscriberExt;
    /// let subscriber = tracing_subscriber::registry().with(run.console_layer());
    /// tracing::subscriber::with_default(subscriber, || tracing::info!(epoch = 3, "evaluating"));
    /// # Ok::<(), cresset_run::StartError>(())
    /// ```
    #[must_use]
    pub fn console_layer(&self) -> ConsoleLayer {
        ConsoleLayer {
            recorder: self.recorder().cloned(),
        }
    }
}

/// Records `tracing` events as the console log of a run; made by [`Run::console_layer`].
pub struct ConsoleLayer {
    recorder: Option<Arc<Recorder>>,
}

impl fmt::Debug for ConsoleLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsoleLayer").finish_non_exhaustive()
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for ConsoleLayer {
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let Some(recorder) = &self.recorder else {
            return;
        };
        let mut visitor = Visitor::default();
        event.record(&mut visitor);
        let spans: Vec<&str> = context.event_scope(event).map_or_else(Vec::new, |scope| {
            scope
                .from_root()
                .map(|span| span.metadata().name())
                .collect()
        });
        if !spans.is_empty() {
            visitor
                .fields
                .insert("spans".to_owned(), spans.join("/").into());
        }
        let metadata = event.metadata();
        let bytes = visitor.bytes + metadata.target().len();
        let line = ConsoleLine {
            time: recorder.now(),
            level: level(*metadata.level()),
            target: metadata.target().to_owned(),
            message: visitor.message,
            fields: visitor.fields,
        };
        recorder.record(Record::Console(line), bytes);
    }
}

fn level(level: tracing::Level) -> Level {
    match level {
        tracing::Level::TRACE => Level::Trace,
        tracing::Level::DEBUG => Level::Debug,
        tracing::Level::INFO => Level::Info,
        tracing::Level::WARN => Level::Warn,
        tracing::Level::ERROR => Level::Error,
    }
}

#[derive(Default)]
struct Visitor {
    message: String,
    fields: Map<String, Json>,
    bytes: usize,
}

impl Visitor {
    fn put(&mut self, field: &Field, value: Json) {
        self.bytes += field.name().len() + 32;
        self.fields.insert(field.name().to_owned(), value);
    }
}

impl Visit for Visitor {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format!("{value:?}");
        self.bytes += text.len();
        if field.name() == "message" {
            self.message = text;
        } else {
            self.put(field, text.into());
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.bytes += value.len();
        if field.name() == "message" {
            self.message = value.to_owned();
        } else {
            self.put(field, value.into());
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        let number = serde_json::Number::from_f64(value).map(Json::Number);
        self.put(field, number.unwrap_or_else(|| value.to_string().into()));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }
}
