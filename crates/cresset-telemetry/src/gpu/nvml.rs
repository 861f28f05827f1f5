//! NVIDIA's GPUs, by the management library that comes with the driver.

use std::path::PathBuf;

use nvml_wrapper::bitmasks::event::EventTypes;
use nvml_wrapper::enums::event::XidError;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device, EventSet, Nvml as Library};

use super::calls::{Call, Failure};
use super::card::Card;
use super::visible::{Candidate, Slice, Visible};
use super::{Answer, Backend, Desk, Event, Facts, Request, raw};
use crate::keys::GpuId;

/// The longest pause before a driver or a GPU that failed is tried again, in samples.
const LONGEST_PAUSE: u32 = 64;

/// Asks NVIDIA's management library, which is loaded at run time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Nvml {
    /// Where the library is; the system's way of finding it if `None`.
    pub(crate) library: Option<PathBuf>,
    pub(crate) visible: Visible,
}

/// Why a session with the library ended.
enum Over {
    /// There will be no more requests.
    Closed,
    /// The library has to be started anew.
    Library,
}

impl Backend for Nvml {
    fn serve(&mut self, desk: &Desk) {
        let (mut due, mut pause) = (0, 1);
        let mut had_gpus = false;
        let mut told = String::new();
        while let Some(request) = desk.next() {
            if request.number < due {
                desk.answer(Answer::default());
                continue;
            }
            due = request.number.saturating_add(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
            let library = desk.during(None, Call::Begin, || self.begin());
            let error = match library {
                Ok(library) => {
                    let mut session = Session {
                        visible: &self.visible,
                        desk,
                        pause: &mut pause,
                        had_gpus: &mut had_gpus,
                    };
                    match session.serve(&library, request) {
                        Over::Closed => return,
                        Over::Library => continue,
                    }
                }
                Err(error) => error,
            };
            let reason = explain(&error);
            let mut answer = Answer::default();
            if reason != told {
                answer.events.push(Event::NoDriver(reason.clone()));
                told = reason;
            }
            desk.answer(answer);
            if matches!(error, NvmlError::LibloadingError(_)) {
                // There is no library, and a process does not come by one: nothing to ask, ever.
                return;
            }
        }
    }
}

impl Nvml {
    pub(super) fn begin(&self) -> Result<Library, NvmlError> {
        match &self.library {
            Some(path) => Library::builder().lib_path(path.as_os_str()).init(),
            None => Library::init(),
        }
    }
}

/// Why there is no driver, and what to do.
pub(crate) fn explain(error: &NvmlError) -> String {
    match error {
        NvmlError::LibloadingError(_) => "no NVIDIA driver on this machine".to_owned(),
        NvmlError::DriverNotLoaded => {
            "the NVIDIA driver is not loaded; nvidia-smi tells why".to_owned()
        }
        NvmlError::LibRmVersionMismatch => {
            "the NVIDIA library is of another version than the loaded driver; restart the machine, \
             or the container with the host's driver files"
                .to_owned()
        }
        NvmlError::NoPermission => {
            "this user may not talk to the NVIDIA driver; check the permissions of /dev/nvidia*"
                .to_owned()
        }
        other => format!("the NVIDIA library does not start: {other}"),
    }
}

/// The time from one start of the library to the next.
struct Session<'a> {
    visible: &'a Visible,
    desk: &'a Desk,
    /// How long to wait before the library is started again.
    pause: &'a mut u32,
    /// Whether there ever were GPUs: if there are none now, they were lost.
    had_gpus: &'a mut bool,
}

impl Session<'_> {
    /// Answers requests as long as the library works.
    fn serve(&mut self, library: &Library, first: Request) -> Over {
        let desk = self.desk;
        let mut events = Vec::new();
        let version = desk.during(None, Call::Begin, || library.sys_driver_version());
        events.push(Event::Driver(
            version.unwrap_or_else(|_| "unknown".to_owned()),
        ));
        let mut cards = desk.during(None, Call::List, || {
            find(library, self.visible, &mut events)
        });
        *self.had_gpus |= !cards.is_empty();
        let mut request = Some(first);
        while let Some(asked) = request.take().or_else(|| desk.next()) {
            let mut answer = Answer {
                events: std::mem::take(&mut events),
                ..Answer::default()
            };
            let failed = look(library, &mut cards, desk, &asked, &mut answer);
            let all_lost = *self.had_gpus && cards.iter().all(|card| card.lost.is_some());
            desk.answer(answer);
            if failed || all_lost {
                // A GPU that was reset is seen only by a library that was started after it.
                return Over::Library;
            }
            *self.pause = 1;
        }
        Over::Closed
    }
}

/// Looks at all cards; `true` if the library as a whole has failed.
fn look<'n>(
    library: &'n Library,
    cards: &mut [Card<'n>],
    desk: &Desk,
    request: &Request,
    answer: &mut Answer,
) -> bool {
    let turn = request.number as usize % cards.len().max(1);
    for (i, card) in cards.iter_mut().enumerate() {
        if !is_answering(library, card, desk, request.number) {
            continue;
        }
        let (sample, failure) = card.look(library, desk, request, i == turn);
        let absent = card.calls.news();
        if !absent.is_empty() {
            answer.events.push(Event::Absent(card.id, absent));
        }
        match failure {
            Some((Failure::Library, _)) => return true,
            Some((_, error)) => {
                if card.lost.is_none() {
                    answer.events.push(Event::Lost(card.id, error));
                }
                let pause = card
                    .lost
                    .map_or(1, |(_, pause)| (pause * 2).min(LONGEST_PAUSE));
                card.lost = Some((request.number.saturating_add(pause), pause));
            }
            None => {
                if card.lost.take().is_some() {
                    answer.events.push(Event::Back(card.id));
                }
                collect_xids(card, desk, answer);
            }
        }
        if !sample.is_empty() {
            answer.gpus.push(sample);
        }
    }
    false
}

/// Whether the card should be asked: a lost one is looked for again after a pause, by its UUID.
fn is_answering<'n>(library: &'n Library, card: &mut Card<'n>, desk: &Desk, number: u32) -> bool {
    let Some((due, pause)) = card.lost else {
        return true;
    };
    if number < due {
        return false;
    }
    if card.parent.is_some() {
        return true;
    }
    let found = desk.during(Some(card.id), Call::List, || {
        library.device_by_uuid(card.uuid.as_str())
    });
    match found {
        Ok(device) => {
            card.device = device;
            true
        }
        Err(_) => {
            let pause = (pause * 2).min(LONGEST_PAUSE);
            card.lost = Some((number.saturating_add(pause), pause));
            false
        }
    }
}

fn collect_xids(card: &mut Card, desk: &Desk, answer: &mut Answer) {
    /// One look takes no more than these; a storm of errors says the same over and over.
    const MOST: usize = 8;
    let Some(set) = &card.events else { return };
    for _ in 0..MOST {
        let event = desk.during(Some(card.id), Call::Events, || set.wait(0));
        let Ok(event) = event else { return };
        if let Some(XidError::Value(xid)) = event.event_data {
            answer.events.push(Event::Xid(card.id, xid));
        }
    }
}

/// The cards of this process.
fn find<'n>(library: &'n Library, visible: &Visible, events: &mut Vec<Event>) -> Vec<Card<'n>> {
    let count = library.device_count().unwrap_or(0);
    let mut candidates = Vec::new();
    for index in 0..count {
        // A GPU that cannot be reached, or that this user may not use, is left out.
        if let Ok(device) = library.device_by_index(index) {
            candidates.push(candidate(index, &device));
        }
    }
    let chosen = visible.choose(&candidates);
    let mut cards = Vec::new();
    let mut facts = Vec::new();
    for candidate in &candidates {
        let of_card = chosen.iter().filter(|id| id.index == candidate.index);
        let slices: Vec<&Slice> = of_card
            .clone()
            .filter_map(|id| candidate.slices.iter().find(|s| Some(s.number) == id.slice))
            .collect();
        if of_card.count() == 0 {
            continue;
        }
        let Ok(device) = library.device_by_index(candidate.index) else {
            continue;
        };
        let id = GpuId::card(candidate.index);
        let mut card = Card::new(id, candidate.uuid.clone(), device);
        card.events = events_of(library, &card.device);
        facts.push(Facts {
            gpu: Some(id),
            model: candidate.model.clone(),
            uuid: candidate.uuid.clone(),
            bus: candidate.bus.clone(),
        });
        for slice in slices {
            if let Some(card) = slice_card(library, candidate, slice, &card.device) {
                facts.push(Facts {
                    gpu: Some(card.id),
                    model: format!("{} (MIG slice)", candidate.model),
                    uuid: slice.uuid.clone(),
                    bus: candidate.bus.clone(),
                });
                cards.push(card);
            }
        }
        cards.push(card);
    }
    cards.sort_by_key(|card| card.id);
    events.push(Event::Found(facts));
    cards
}

fn candidate(index: u32, device: &Device) -> Candidate {
    let slices = match device.mig_mode() {
        Ok(mode) if mode.current == 1 => slices(device),
        _ => Vec::new(),
    };
    Candidate {
        index,
        uuid: device.uuid().unwrap_or_default(),
        model: device.name().unwrap_or_default(),
        bus: device.pci_info().map(|pci| pci.bus_id).unwrap_or_default(),
        slices,
    }
}

fn slices(device: &Device) -> Vec<Slice> {
    let most = device.mig_device_count().unwrap_or(0);
    (0..most)
        .filter_map(|number| {
            let slice = device.mig_device_by_index(number).ok()?;
            Some(Slice {
                number,
                uuid: slice.uuid().unwrap_or_default(),
                instances: raw::instances(&slice).ok(),
            })
        })
        .collect()
}

fn slice_card<'n>(
    library: &'n Library,
    candidate: &Candidate,
    slice: &Slice,
    parent: &Device<'n>,
) -> Option<Card<'n>> {
    let device = parent.mig_device_by_index(slice.number).ok()?;
    let id = GpuId {
        index: candidate.index,
        slice: Some(slice.number),
    };
    let mut card = Card::new(id, slice.uuid.clone(), device);
    let parent = library.device_by_index(candidate.index).ok()?;
    card.parent = Some((parent, slice.instances.map(|(gi, _)| gi)));
    Some(card)
}

/// Asks to be told of errors, where the driver tells.
fn events_of<'n>(library: &'n Library, device: &Device<'n>) -> Option<EventSet<'n>> {
    let set = library.create_event_set().ok()?;
    device
        .register_events(EventTypes::CRITICAL_XID_ERROR, set)
        .ok()
}
