//! How records become what the index keeps of a run: as `cresset_record::RunView`, without holding the values.

use std::collections::{BTreeMap, HashMap};

use cresset_record::{
    Alert, Batch, ConsoleLine, Definition, Key, KeyId, Level, Lost, Media, MediaDetail, Rank,
    Record, Resume, Row, Start, TensorStats, Timestamp, json_number,
};
use serde_json::{Map, Value as Json};

use super::series::Slot;
use super::stored::{StoredHead, StoredWriter, short_environment};
use crate::document::SeriesKind;
use crate::open::{Open, OpenRows};
use crate::rundata::stats;

/// A run while it is indexed.
#[derive(Debug, Default)]
pub(crate) struct Fold {
    pub(crate) head: StoredHead,
    pub(crate) environment: Map<String, Json>,
    /// Whether the database has an older environment.
    pub(crate) environment_changed: bool,
    definitions: Definitions,
    /// Whether the rules of the slots are older than the definitions.
    definitions_changed: bool,
    writers: BTreeMap<Rank, Keys>,
    pub(crate) slots: Vec<Slot>,
    by_name: BTreeMap<(Key, Rank, SeriesKind), usize>,
    pub(crate) pending: Pending,
}

/// What was read and is not in the database yet.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    /// By writer; series are places of slots.
    open: BTreeMap<Rank, OpenRows>,
    /// Steps from which on everything that is in the database already is superseded.
    pub(crate) superseded: BTreeMap<Rank, u64>,
    pub(crate) histograms: Vec<PendingHistogram>,
    pub(crate) media: Vec<PendingMedia>,
    pub(crate) console: Vec<(Rank, ConsoleLine)>,
    pub(crate) alerts: Vec<(Rank, Alert)>,
    pub(crate) points: usize,
    /// About how many bytes it takes.
    pub(crate) weight: usize,
}

impl Pending {
    /// The scalars, by writer; series are places of slots.
    pub(crate) fn take_open(&mut self) -> BTreeMap<Rank, Open> {
        let open = std::mem::take(&mut self.open).into_iter();
        open.map(|(rank, rows)| (rank, rows.into_open()))
            .filter(|(_, open)| !open.is_empty())
            .collect()
    }
}

#[derive(Debug)]
pub(crate) struct PendingHistogram {
    pub(crate) slot: usize,
    pub(crate) place: u64,
    pub(crate) step: u64,
    pub(crate) time: Timestamp,
    pub(crate) data: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct PendingMedia {
    pub(crate) slot: usize,
    pub(crate) place: u64,
    pub(crate) step: u64,
    pub(crate) time: Timestamp,
    pub(crate) media: Media,
}

/// The keys of one writer's log.
#[derive(Debug, Default)]
struct Keys {
    names: HashMap<KeyId, Key>,
    /// Where the scalar series of a key is among the slots.
    places: HashMap<KeyId, usize>,
    /// Keys and places of the last row: the next one most often has the same.
    last_row: Vec<(KeyId, usize)>,
}

impl Keys {
    fn take_last_row(&mut self) -> Vec<(KeyId, usize)> {
        std::mem::take(&mut self.last_row)
    }
}

/// Definitions in order, each once: of equal ones the latest stands for all.
#[derive(Debug, Default)]
struct Definitions {
    in_order: BTreeMap<u64, Definition>,
    places: HashMap<Definition, u64>,
    next: u64,
}

impl Definitions {
    /// Whether that changed anything.
    fn push(&mut self, definition: Definition) -> bool {
        let earlier = self.places.insert(definition.clone(), self.next);
        let is_last = earlier.is_some_and(|place| place + 1 == self.next);
        if let Some(earlier) = earlier {
            self.in_order.remove(&earlier);
        }
        self.in_order.insert(self.next, definition);
        self.next += 1;
        !is_last
    }

    fn list(&self) -> Vec<Definition> {
        self.in_order.values().cloned().collect()
    }
}

impl Fold {
    /// A run as the database has it.
    pub(crate) fn restore(
        head: StoredHead,
        environment: Map<String, Json>,
        slots: Vec<Slot>,
    ) -> Self {
        let mut fold = Self {
            environment,
            ..Self::default()
        };
        for definition in &head.definitions {
            fold.definitions.push(definition.clone());
        }
        fold.definitions_changed = true;
        let names = slots.iter().enumerate();
        fold.by_name = names
            .map(|(i, s)| ((s.key.clone(), s.rank, s.kind), i))
            .collect();
        fold.slots = slots;
        fold.head = head;
        fold
    }

    pub(crate) fn apply(&mut self, batch: Batch) {
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
                if (rank.0 == 0 || self.environment.is_empty()) && self.environment != map {
                    self.head.environment = short_environment(&map);
                    self.environment = map;
                    self.environment_changed = true;
                }
            }
            Record::Key { id, key } => {
                self.writer(rank);
                let keys = self.writers.entry(rank).or_default();
                keys.names.insert(id, key);
                keys.places.remove(&id);
                keys.last_row.clear();
            }
            Record::Rows(rows) => self.add_rows(rank, &rows),
            Record::Histogram {
                key,
                step,
                time,
                stats,
            } => self.add_histogram(rank, key, step, time, &stats),
            Record::Media {
                key,
                step,
                time,
                media,
            } => self.add_media(rank, key, step, time, *media),
            Record::Define(definition) => {
                self.definitions_changed |= self.definitions.push(definition);
            }
            Record::Config(update) => {
                self.saw(update.time);
                self.head.note_config(update.time, &update.values);
                if let Some(start) = &mut self.head.start {
                    start.config.extend(update.values);
                }
            }
            Record::Label(update) => {
                if let Some(start) = &mut self.head.start {
                    update.apply(start);
                }
            }
            Record::Summary(values) => self.head.set_by_hand.extend(values),
            Record::Console(line) => {
                self.saw(line.time);
                self.pending.weight += 64 + line.message.len() + line.fields.len() * 64;
                self.pending.console.push((rank, line));
            }
            Record::Alert(alert) => {
                self.saw(alert.time);
                self.pending.weight += 64 + alert.text.len();
                self.pending.alerts.push((rank, alert));
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
        self.saw(start.time);
        let writer = self.writer(rank);
        writer.outcome = None;
        writer.world_size = start.world_size.or(writer.world_size);
        writer.cresset_version.clone_from(&start.cresset_version);
        // Every segment repeats the head; the lowest rank speaks for the run.
        match &self.head.start {
            Some(known) if known.rank <= start.rank => {}
            _ => self.head.start = Some(start),
        }
    }

    fn resume(&mut self, rank: Rank, resume: &Resume) {
        self.saw(resume.time);
        self.writer(rank).outcome = None;
        self.head.note_resume(resume.time, rank, resume.from_step);
        let Some(from) = resume.from_step else { return };
        let earliest = self.pending.superseded.entry(rank).or_insert(from);
        *earliest = from.min(*earliest);
        if let Some(open) = self.pending.open.get_mut(&rank) {
            open.supersede(from);
        }
        let slots = &self.slots;
        let stays =
            |slot: usize, step: u64| step < from || slots.get(slot).is_none_or(|s| s.rank != rank);
        self.pending.histograms.retain(|h| stays(h.slot, h.step));
        self.pending.media.retain(|m| stays(m.slot, m.step));
    }

    fn lose(&mut self, lost: &Lost) {
        let (points, values) = self.head.lost.entry(lost.reason).or_default();
        *points = points.saturating_add(lost.points);
        *values = values.saturating_add(lost.values);
    }

    fn add_rows(&mut self, rank: Rank, rows: &[Row]) {
        self.writer(rank);
        let mut open = self.pending.open.remove(&rank).unwrap_or_default();
        let mut last_row = self.writers.entry(rank).or_default().take_last_row();
        for row in rows {
            self.head.latest = self.head.latest.max(row.time);
            let number = open.begin_row(row.step, row.time.0);
            self.pending.points += row.points.len();
            self.pending.weight += 16 * row.points.len() + 16;
            for (i, &(id, value)) in row.points.iter().enumerate() {
                let place = match last_row.get(i) {
                    Some(&(known, place)) if known == id => place,
                    _ => {
                        let place = self.find_place(rank, id);
                        match last_row.get_mut(i) {
                            Some(entry) => *entry = (id, place),
                            None => last_row.push((id, place)),
                        }
                        place
                    }
                };
                let Some(slot) = self.slots.get_mut(place) else {
                    continue;
                };
                slot.changed = true;
                slot.state.arrivals += 1;
                slot.state.push(row.step, value);
                open.push(place, number, value);
            }
        }
        self.writers.entry(rank).or_default().last_row = last_row;
        self.pending.open.insert(rank, open);
    }

    /// Where the scalar series is that a writer's key number stands for.
    fn find_place(&mut self, rank: Rank, id: KeyId) -> usize {
        let known = self
            .writers
            .get(&rank)
            .and_then(|k| k.places.get(&id))
            .copied();
        if let Some(place) = known {
            return place;
        }
        let place = self.slot(rank, id, SeriesKind::Scalar);
        self.writers
            .entry(rank)
            .or_default()
            .places
            .insert(id, place);
        place
    }

    fn slot(&mut self, rank: Rank, id: KeyId, kind: SeriesKind) -> usize {
        let named = self.writers.get(&rank).and_then(|k| k.names.get(&id));
        let key = named.cloned().or_else(|| {
            // The declaration was in a damaged part; as `RunView` names it.
            Key::new(&format!("cresset/undeclared/{}", id.0)).ok()
        });
        let Some(key) = key else { return usize::MAX };
        if let Some(&place) = self.by_name.get(&(key.clone(), rank, kind)) {
            return place;
        }
        let place = self.slots.len();
        self.slots.push(Slot::new(key.clone(), rank, kind));
        self.by_name.insert((key, rank, kind), place);
        self.definitions_changed = true;
        place
    }

    fn add_histogram(
        &mut self,
        rank: Rank,
        key: KeyId,
        step: u64,
        time: Timestamp,
        value: &TensorStats,
    ) {
        self.saw(time);
        self.writer(rank);
        let place = self.slot(rank, key, SeriesKind::Histogram);
        let Some(slot) = self.slots.get_mut(place) else {
            return;
        };
        slot.changed = true;
        slot.state.push_other(step);
        let data = stats::encode(value);
        self.pending.weight += 64 + data.len();
        self.pending.histograms.push(PendingHistogram {
            slot: place,
            place: slot.state.arrivals,
            step,
            time,
            data,
        });
        slot.state.arrivals += 1;
    }

    fn add_media(&mut self, rank: Rank, key: KeyId, step: u64, time: Timestamp, media: Media) {
        self.saw(time);
        self.writer(rank);
        let place = self.slot(rank, key, SeriesKind::Media);
        let Some(slot) = self.slots.get_mut(place) else {
            return;
        };
        slot.changed = true;
        slot.state.push_media(step, &media_kind(&media.detail));
        self.pending.weight += 512;
        self.pending.media.push(PendingMedia {
            slot: place,
            place: slot.state.arrivals,
            step,
            time,
            media,
        });
        slot.state.arrivals += 1;
    }

    fn writer(&mut self, rank: Rank) -> &mut StoredWriter {
        self.head.writers.entry(rank).or_default()
    }

    fn saw(&mut self, time: Timestamp) {
        self.head.latest = self.head.latest.max(time);
    }

    /// Brings the head up to date with everything that was folded; gives the summary, as `RunView::summary`.
    pub(crate) fn finish(&mut self) -> Map<String, Json> {
        if self.definitions_changed {
            self.definitions_changed = false;
            self.head.definitions = self.definitions.list();
            for slot in &mut self.slots {
                let d = cresset_record::resolve(&self.head.definitions, slot.key.as_str());
                slot.rule = (d.summary.unwrap_or_default(), d.goal);
            }
        }
        self.head.last_step = self
            .slots
            .iter()
            .filter_map(|slot| slot.state.last.map(|(step, _)| step))
            .max();
        let mut summary = Map::new();
        let mut latest_key: Option<&Key> = None;
        for ((key, _, kind), &place) in &self.by_name {
            if *kind != SeriesKind::Scalar || latest_key == Some(key) {
                continue;
            }
            let Some(slot) = self.slots.get(place) else {
                continue;
            };
            let (rule, goal) = slot.rule;
            if let Some(value) = slot.state.summarise(rule, goal) {
                summary.insert(key.as_str().to_owned(), json_number(value));
                latest_key = Some(key);
            }
        }
        let lost = self.head.lost.values().fold(0u64, |sum, (points, values)| {
            sum.saturating_add(*points).saturating_add(*values)
        });
        if lost > 0 {
            summary.insert("cresset/lost".to_owned(), lost.into());
        }
        summary.extend(self.head.set_by_hand.clone());
        summary
    }

    /// Counts what is pending of console lines and alerts; to be called once it is stored.
    pub(crate) fn count_lines(&mut self) {
        self.head.console_lines += self.pending.console.len() as u64;
        self.head.alerts += self.pending.alerts.len() as u64;
        let grave = self
            .pending
            .alerts
            .iter()
            .filter(|(_, a)| a.level >= Level::Warn);
        self.head.grave_alerts += grave.count() as u64;
    }
}

/// The word for a kind of media, with the kind of figure.
pub(crate) fn media_kind(detail: &MediaDetail) -> String {
    match detail {
        MediaDetail::Text => "text".into(),
        MediaDetail::Html => "html".into(),
        MediaDetail::Image(_) => "image".into(),
        MediaDetail::Audio { .. } => "audio".into(),
        MediaDetail::Video => "video".into(),
        MediaDetail::PointCloud { .. } => "point_cloud".into(),
        MediaDetail::Table { .. } => "table".into(),
        MediaDetail::Figure { figure } => format!("figure:{figure}"),
        MediaDetail::File { .. } => "file".into(),
    }
}
