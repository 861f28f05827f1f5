//! The series of a chart, as they are stored.

use cresset_record::{Definition, Rank, RunId, resolve};
use serde::Deserialize;

use super::{Axis, ChartQuery, RankChoice, metric};
use crate::chunk::{self, BLOCK, PAGE};
use crate::engine::Transaction;
use crate::engine::chunks::{Chunks, Stored};
use crate::error::StoreError;
use crate::index::{SeriesState, from_json};
use crate::points;

/// One series and what of it may be in the window.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) run: RunId,
    pub(super) rank: Rank,
    pub(super) total: u64,
    pub(super) last_step: Option<u64>,
    pub(super) x: Place,
    pub(super) window: Window,
    /// Sealed, by number.
    pub(super) chunks: Vec<Stored>,
    /// The rest, by x, then arrival.
    pub(super) loose: Vec<XPoint>,
}

/// A point on the x axis.
#[derive(Clone, Copy, Debug)]
pub(super) struct XPoint {
    pub(super) x: f64,
    pub(super) arrival: u64,
    pub(super) value: f64,
}

/// How a point becomes an x.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    Step,
    /// Seconds since this time (µs since 1970).
    Time(i64),
    /// It is one already.
    Metric,
}

/// Both ends inclusive.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    from: f64,
    to: f64,
}

impl Window {
    pub(super) fn has(self, x: f64) -> bool {
        self.from <= x && x <= self.to
    }

    fn meets(self, (low, high): (f64, f64)) -> bool {
        low <= self.to && high >= self.from
    }

    pub(super) fn holds(self, (low, high): (f64, f64)) -> bool {
        self.from <= low && high <= self.to
    }

    /// The part of a range that is in it.
    pub(super) fn clip(self, (low, high): (f64, f64)) -> (f64, f64) {
        (low.max(self.from), high.min(self.to))
    }
}

impl Place {
    pub(super) fn of(self, step: u64, time: i64) -> f64 {
        match self {
            Self::Step => step as f64,
            Self::Time(origin) => (time as f64 - origin as f64) / 1e6,
            Self::Metric => f64::NAN,
        }
    }

    /// Where a block lies.
    pub(super) fn range(self, steps: (u64, u64), times: (i64, i64)) -> (f64, f64) {
        (self.of(steps.0, times.0), self.of(steps.1, times.1))
    }
}

impl Source {
    /// The lowest and highest x in the window; `None` if there is surely none.
    pub(super) fn range(&self) -> Option<(f64, f64)> {
        let chunks = self
            .chunks
            .iter()
            .map(|c| self.x.range(c.head.steps(), c.head.times()));
        let loose = self
            .loose
            .first()
            .zip(self.loose.last())
            .map(|(a, b)| (a.x, b.x));
        let all = chunks
            .chain(loose)
            .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))?;
        let (low, high) = self.window.clip(all);
        (low <= high).then_some((low, high))
    }

    /// All points of a chunk that are in the window, by x, then arrival.
    pub(super) fn decode(
        &mut self,
        tx: &mut dyn Transaction,
        chunks: &dyn Chunks,
        chunk: usize,
        out: &mut Vec<XPoint>,
    ) -> Result<(), StoreError> {
        let Some(chunk) = self.chunks.get_mut(chunk) else {
            return Ok(());
        };
        let mut all = Vec::new();
        points::append_chunk(tx, chunks, chunk, &mut all)?;
        let from = out.len();
        let placed = all.iter().map(|p| XPoint {
            x: self.x.of(p.step, p.time),
            arrival: p.arrival,
            value: p.value,
        });
        out.extend(placed.filter(|p| self.window.has(p.x)));
        if !(chunk.head.chronological || matches!(self.x, Place::Step)) {
            sort(&mut out[from..]);
        }
        Ok(())
    }

    /// The points of one page of a chunk, with their places; for the step axis arrivals only rise where they should.
    pub(super) fn page(
        &mut self,
        tx: &mut dyn Transaction,
        chunks: &dyn Chunks,
        chunk: usize,
        page: usize,
        out: &mut Vec<XPoint>,
    ) -> Result<(), StoreError> {
        let Some(chunk) = self.chunks.get_mut(chunk) else {
            return Ok(());
        };
        let mut values = Vec::with_capacity(PAGE);
        chunks.values(tx, chunk, page, &mut values)?;
        let first = chunk.head.first_arrival + (page * PAGE) as u64;
        match (self.x, chunk.head.arithmetic) {
            (Place::Step, Some((start, stride))) => {
                let step =
                    |i: u64| start.wrapping_add(stride.wrapping_mul((page * PAGE) as u64 + i));
                out.extend((0u64..).zip(values).map(|(i, value)| XPoint {
                    x: step(i) as f64,
                    arrival: first + i,
                    value,
                }));
            }
            _ => {
                let mut head = chunks.axis(tx, chunk.axis)?;
                let mut axis = chunk::Axis::default();
                chunks.places(tx, chunk.axis, &mut head, page, &mut axis)?;
                let places = axis.steps.iter().zip(&axis.times);
                out.extend(
                    (0u64..)
                        .zip(places.zip(values))
                        .map(|(i, ((&step, &time), value))| XPoint {
                            x: self.x.of(step, time),
                            arrival: first + i,
                            value,
                        }),
                );
            }
        }
        Ok(())
    }
}

/// Blocks in a page.
pub(super) const BLOCKS_PER_PAGE: usize = PAGE / BLOCK;

pub(super) fn sort(points: &mut [XPoint]) {
    points.sort_unstable_by(|a, b| a.x.total_cmp(&b.x).then(a.arrival.cmp(&b.arrival)));
}

/// The series that a question is about, with the heads of their chunks.
pub(super) fn find(
    tx: &mut dyn Transaction,
    chunks: &dyn Chunks,
    query: &ChartQuery,
) -> Result<Vec<Source>, StoreError> {
    let mut sources = Vec::new();
    let Some(name) = name_id(tx, &query.key)? else {
        return Ok(sources);
    };
    let metric = match &query.axis {
        Axis::Metric(key) => match name_id(tx, key)? {
            Some(name) => Some(name),
            None => return Ok(sources),
        },
        _ => None,
    };
    for run in &query.runs {
        let found = tx.first(
            "SELECT id, created FROM runs WHERE project = $1 AND run = $2",
            &[query.project.as_str().into(), run.as_str().into()],
            |row| Ok((row.integer(0)?, row.optional_integer(1)?)),
        )?;
        let Some((id, created)) = found else { continue };
        for series in chosen(scalar_series(tx, id, name)?, &query.ranks) {
            let mut source = Source {
                run: run.clone(),
                rank: series.rank,
                total: series.state.block.count,
                last_step: series.state.last.map(|(step, _)| step),
                x: Place::Step,
                window: Window {
                    from: query.from.unwrap_or(f64::NEG_INFINITY),
                    to: query.to.unwrap_or(f64::INFINITY),
                },
                chunks: Vec::new(),
                loose: Vec::new(),
            };
            match metric {
                Some(metric) => metric::fill(tx, chunks, &mut source, id, &series, metric)?,
                None => fill(tx, chunks, &mut source, &query.axis, (id, created), &series)?,
            }
            sources.push(source);
        }
    }
    Ok(sources)
}

fn fill(
    tx: &mut dyn Transaction,
    chunks: &dyn Chunks,
    source: &mut Source,
    axis: &Axis,
    (run, created): (i64, Option<i64>),
    series: &Found,
) -> Result<(), StoreError> {
    let window = source.window;
    let steps = match axis {
        Axis::Step => (window.from.ceil().max(0.0) as u64, window.to.floor() as u64),
        _ => (0, u64::MAX),
    };
    let mut heads = Vec::new();
    chunks.heads(tx, series.id, steps, &mut |chunk| {
        heads.push(chunk);
        Ok(())
    })?;
    let tail = if series.state.unsealed > 0 {
        points::tail(tx, run, series.id, series.first_unsealed())?
    } else {
        Vec::new()
    };
    source.x = match axis {
        Axis::Step | Axis::Metric(_) => Place::Step,
        Axis::Wall => Place::Time(0),
        Axis::Relative => {
            let earliest = heads
                .iter()
                .map(|c| c.head.times().0)
                .chain(tail.iter().map(|p| p.time))
                .min();
            Place::Time(created.or(earliest).unwrap_or_default())
        }
    };
    heads.retain(|c| window.meets(source.x.range(c.head.steps(), c.head.times())));
    source.chunks = heads;
    let placed = tail.iter().map(|p| XPoint {
        x: source.x.of(p.step, p.time),
        arrival: p.arrival,
        value: p.value,
    });
    source.loose = placed.filter(|p| window.has(p.x)).collect();
    sort(&mut source.loose);
    Ok(())
}

/// A series as the index has it.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) id: i64,
    pub(super) rank: Rank,
    pub(super) state: SeriesState,
}

impl Found {
    pub(super) fn first_unsealed(&self) -> u64 {
        self.state.arrivals.saturating_sub(self.state.unsealed)
    }
}

/// The scalar series of a key in a run, by rank; those without points are left out.
pub(super) fn scalar_series(
    tx: &mut dyn Transaction,
    run: i64,
    name: i64,
) -> Result<Vec<Found>, StoreError> {
    let mut found = tx.all(
        "SELECT id, rank, state FROM series WHERE run = $1 AND name = $2 AND kind = 0 ORDER BY rank",
        &[run.into(), name.into()],
        |row| {
            Ok(Found {
                id: row.integer(0)?,
                rank: Rank(u32::try_from(row.integer(1)?).unwrap_or(u32::MAX)),
                state: SeriesState::decode(row.bytes(2)?)?,
            })
        },
    )?;
    found.retain(|series| series.state.block.count > 0);
    Ok(found)
}

fn chosen(mut series: Vec<Found>, ranks: &RankChoice) -> Vec<Found> {
    match ranks {
        RankChoice::All => {}
        RankChoice::Lowest => series.truncate(1),
        RankChoice::Only(ranks) => series.retain(|s| ranks.contains(&s.rank)),
    }
    series
}

fn name_id(tx: &mut dyn Transaction, key: &str) -> Result<Option<i64>, StoreError> {
    tx.first(
        "SELECT id FROM keys WHERE name = $1",
        &[key.into()],
        |row| row.integer(0),
    )
}

/// The part of a run's head that has definitions.
#[derive(Deserialize)]
struct Defined {
    #[serde(default)]
    definitions: Vec<Definition>,
}

/// What the first of the runs that says anything of the key says.
pub(super) fn definition(
    tx: &mut dyn Transaction,
    query: &ChartQuery,
) -> Result<Definition, StoreError> {
    let nothing = resolve(&[], &query.key);
    for run in query.runs.iter().take(MAX_ASKED) {
        let definitions = tx.first(
            "SELECT head FROM runs WHERE project = $1 AND run = $2",
            &[query.project.as_str().into(), run.as_str().into()],
            |row| Ok(from_json::<Defined>(row.text(0)?, "a run's head")?.definitions),
        )?;
        let resolved = resolve(&definitions.unwrap_or_default(), &query.key);
        if resolved != nothing {
            return Ok(resolved);
        }
    }
    Ok(nothing)
}

/// Runs that are asked what the key means, before it is taken to mean nothing in particular.
const MAX_ASKED: usize = 20;
