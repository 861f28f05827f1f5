//! A dotted path, looked up once for many runs.

use super::cell::{Cell, Object};
use super::names::{Names, Symbol};

/// Names inside of a path are looked for up to so many bytes; a longer one is found where it is the whole path.
const MAX_NAME: usize = 1 << 10;

/// The ways in which a dotted path can be read: names that hold dots themselves are found too, and lists are entered by
/// number.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    /// By the segment at which the rest of the path begins; empty where no reading leads to.
    rests: Vec<Option<Rest>>,
}

/// The ways to go on from a segment.
#[derive(Clone, Debug)]
struct Rest {
    /// All the rest is one name.
    whole: Option<Symbol>,
    /// A name, and the segment after it; the shortest first.
    names: Vec<(Symbol, usize)>,
    /// The segment is a place in a list.
    index: Option<usize>,
}

impl Path {
    /// Looks up the names in a path.
    pub(crate) fn new(text: &str, names: &Names) -> Self {
        let mut starts = vec![0];
        starts.extend(text.match_indices('.').map(|(dot, _)| dot + 1));
        let mut rests = vec![None; starts.len()];
        let mut open = vec![0];
        while let Some(segment) = open.pop() {
            if rests[segment].is_none() {
                let rest = Rest::new(text, &starts, segment, names);
                open.extend(rest.names.iter().map(|(_, next)| *next));
                open.extend(
                    rest.index
                        .map(|_| segment + 1)
                        .filter(|next| *next < starts.len()),
                );
                rests[segment] = Some(rest);
            }
        }
        Self { rests }
    }

    /// The value at the path. A name that is the whole path goes first, then the reading with the shortest first name.
    pub(crate) fn find<'a>(&self, object: &'a Object) -> Option<&'a Cell> {
        self.find_in(object, 0)
    }

    /// Whether there is more than one way to read it.
    pub(crate) fn is_ambiguous(&self) -> bool {
        let ways = |rest: &Rest| rest.names.len() + usize::from(rest.whole.is_some());
        self.rests.iter().flatten().any(|rest| ways(rest) > 1)
    }

    fn find_in<'a>(&self, object: &'a Object, segment: usize) -> Option<&'a Cell> {
        let rest = self.rests.get(segment)?.as_ref()?;
        if let Some(found) = rest.whole.and_then(|name| object.get(name)) {
            return Some(found);
        }
        let mut readings = rest.names.iter();
        readings.find_map(|&(name, next)| self.enter(object.get(name)?, next))
    }

    fn enter<'a>(&self, cell: &'a Cell, segment: usize) -> Option<&'a Cell> {
        match cell {
            Cell::Object(object) => self.find_in(object, segment),
            Cell::List(list) => {
                let index = self.rests.get(segment)?.as_ref()?.index?;
                let element = list.get(index)?;
                if segment + 1 == self.rests.len() {
                    Some(element)
                } else {
                    self.enter(element, segment + 1)
                }
            }
            _ => None,
        }
    }
}

impl Rest {
    fn new(text: &str, starts: &[usize], segment: usize, names: &Names) -> Self {
        let start = starts[segment];
        let ends = starts.iter().enumerate().skip(segment + 1);
        let name = |(next, after): (usize, &usize)| {
            // The dot is no part of it.
            Some((names.get(&text[start..after - 1])?, next))
        };
        let end = starts
            .get(segment + 1)
            .map_or(text.len(), |after| after - 1);
        Self {
            whole: names.get(&text[start..]),
            names: ends
                .take_while(|(_, after)| *after - start <= MAX_NAME)
                .filter_map(name)
                .collect(),
            index: text[start..end].parse().ok(),
        }
    }
}
