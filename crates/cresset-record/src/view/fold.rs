//! How records become a view, one after another.

use std::collections::{BTreeMap, HashMap};

use super::{Logged, Loss, RunView};
use crate::define::Definition;
use crate::ids::Rank;
use crate::key::{Key, KeyId};
use crate::log::Batch;
use crate::record::{Lost, Outcome, Record, Resume, Row, Start};
use crate::series::{Point, Series};
use crate::time::Timestamp;

/// What one writer's log said of itself.
#[derive(Debug, Default)]
pub(super) struct Writer {
    pub(super) outcome: Option<Outcome>,
    keys: BTreeMap<KeyId, Key>,
    /// Where the series of a key is among all series.
    places: BTreeMap<KeyId, usize>,
    /// Keys and places of the last row: the next one most often has the same.
    last_row: Vec<(KeyId, usize)>,
}

impl Writer {
    /// The name of a key; one made up from its number if the declaration was in a damaged part.
    fn key(&self, id: KeyId) -> Key {
        let known = self.keys.get(&id).cloned();
        known.unwrap_or_else(|| Key::undeclared(id))
    }

    fn declare(&mut self, id: KeyId, key: Key) {
        self.keys.insert(id, key);
        self.places.remove(&id);
        self.last_row.clear();
    }
}

/// All scalar series, found by name or by place.
#[derive(Debug, Default)]
pub(super) struct AllSeries {
    list: Vec<Series>,
    index: BTreeMap<(Key, Rank), usize>,
}

impl AllSeries {
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Key, Rank, &Series)> {
        self.index
            .iter()
            .filter_map(|((key, rank), &place)| Some((key, *rank, self.list.get(place)?)))
    }

    /// Where the series is, or from now on will be.
    fn place(&mut self, key: Key, rank: Rank) -> usize {
        *self.index.entry((key, rank)).or_insert_with(|| {
            self.list.push(Series::default());
            self.list.len() - 1
        })
    }

    fn supersede(&mut self, rank: Rank, from_step: u64) {
        for (_, &place) in self.index.iter().filter(|((_, r), _)| *r == rank) {
            if let Some(series) = self.list.get_mut(place) {
                series.supersede(from_step);
            }
        }
    }
}

/// Definitions in order, each once: of equal ones the latest stands for all, as it overrides whatever they said.
#[derive(Debug, Default)]
pub(super) struct Definitions {
    in_order: BTreeMap<u64, Definition>,
    places: HashMap<Definition, u64>,
    next: u64,
}

impl Definitions {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Definition> {
        self.in_order.values()
    }

    fn push(&mut self, definition: Definition) {
        if let Some(earlier) = self.places.insert(definition.clone(), self.next) {
            self.in_order.remove(&earlier);
        }
        self.in_order.insert(self.next, definition);
        self.next += 1;
    }
}

impl RunView {
    pub(super) fn apply(&mut self, batch: Batch) {
        let rank = batch.rank;
        for record in batch.records {
            self.apply_record(rank, record);
        }
    }

    fn apply_record(&mut self, rank: Rank, record: Record) {
        match record {
            Record::Start(start) => self.begin(rank, *start),
            Record::Resume(resume) => self.resume(rank, &resume),
            Record::Environment(map) => {
                if rank.0 == 0 || self.environment.is_empty() {
                    self.environment = map;
                }
            }
            Record::Key { id, key } => self.writer(rank).declare(id, key),
            Record::Rows(rows) => self.add_rows(rank, &rows),
            Record::Histogram {
                key,
                step,
                time,
                stats: value,
            } => {
                self.saw(time);
                let key = self.writer(rank).key(key);
                let value = Logged {
                    step,
                    time,
                    value: *value,
                };
                self.histograms.entry((key, rank)).or_default().push(value);
            }
            Record::Media {
                key,
                step,
                time,
                media: value,
            } => {
                self.saw(time);
                let key = self.writer(rank).key(key);
                let value = Logged {
                    step,
                    time,
                    value: *value,
                };
                self.media.entry((key, rank)).or_default().push(value);
            }
            // Every segment repeats them.
            Record::Define(definition) => self.definitions.push(definition),
            Record::Config(update) => {
                self.saw(update.time);
                if let Some(start) = &mut self.start {
                    start.config.extend(update.values);
                }
            }
            Record::Label(update) => {
                if let Some(start) = &mut self.start {
                    update.apply(start);
                }
            }
            Record::Summary(values) => self.set_by_hand.extend(values),
            Record::Console(line) => {
                self.saw(line.time);
                self.console.push(line);
            }
            Record::Alert(alert) => {
                self.saw(alert.time);
                self.alerts.push(alert);
            }
            Record::Lost(lost) => self.lose(&lost),
            Record::End(end) => {
                self.saw(end.time);
                self.writer(rank).outcome = Some(end.outcome);
            }
            Record::Unknown { .. } => {}
        }
    }

    fn begin(&mut self, rank: Rank, start: Start) {
        self.writer(rank).outcome = None;
        self.saw(start.time);
        // Every segment repeats the head; the lowest rank speaks for the run.
        match &self.start {
            Some(known) if known.rank <= start.rank => {}
            _ => self.start = Some(start),
        }
    }

    fn resume(&mut self, rank: Rank, resume: &Resume) {
        self.writer(rank).outcome = None;
        self.saw(resume.time);
        let Some(from) = resume.from_step else { return };
        self.series.supersede(rank, from);
        let of_rank = |(_, r): &(Key, Rank)| *r == rank;
        for (_, values) in self.histograms.iter_mut().filter(|(k, _)| of_rank(k)) {
            values.retain(|v| v.step < from);
        }
        for (_, values) in self.media.iter_mut().filter(|(k, _)| of_rank(k)) {
            values.retain(|v| v.step < from);
        }
    }

    fn lose(&mut self, lost: &Lost) {
        let total: &mut Loss = self.lost.entry(lost.reason).or_default();
        total.points = total.points.saturating_add(lost.points);
        total.values = total.values.saturating_add(lost.values);
    }

    fn add_rows(&mut self, rank: Rank, rows: &[Row]) {
        let writer = self.writers.entry(rank).or_default();
        for row in rows {
            self.latest = self.latest.max(row.time);
            for (i, &(id, value)) in row.points.iter().enumerate() {
                let place = match writer.last_row.get(i) {
                    Some(&(known, place)) if known == id => place,
                    _ => {
                        let place = find_place(writer, &mut self.series, rank, id);
                        match writer.last_row.get_mut(i) {
                            Some(entry) => *entry = (id, place),
                            None => writer.last_row.push((id, place)),
                        }
                        place
                    }
                };
                if let Some(series) = self.series.list.get_mut(place) {
                    series.push(Point {
                        step: row.step,
                        time: row.time,
                        value,
                    });
                }
            }
        }
    }

    fn writer(&mut self, rank: Rank) -> &mut Writer {
        self.writers.entry(rank).or_default()
    }

    fn saw(&mut self, time: Timestamp) {
        self.latest = self.latest.max(time);
    }
}

/// Where the series is that a writer's key number stands for.
fn find_place(writer: &mut Writer, series: &mut AllSeries, rank: Rank, id: KeyId) -> usize {
    if let Some(&place) = writer.places.get(&id) {
        return place;
    }
    let place = series.place(writer.key(id), rank);
    writer.places.insert(id, place);
    place
}
