//! Names of fields, each kept once.

use std::sync::Arc;

use rustc_hash::FxHashMap;

/// The number of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Symbol(u32);

/// All names that runs use, numbered in order of first use. They are only ever added: a folder has few next to its values.
#[derive(Debug, Default)]
pub(crate) struct Names {
    list: Vec<Arc<str>>,
    numbers: FxHashMap<Arc<str>, Symbol>,
}

impl Names {
    /// The number of a name, which it gets if it has none.
    pub(crate) fn intern(&mut self, name: &str) -> Symbol {
        if let Some(&known) = self.numbers.get(name) {
            return known;
        }
        // Four thousand million names do not fit in memory.
        let symbol = Symbol(u32::try_from(self.list.len()).unwrap_or(u32::MAX));
        let name: Arc<str> = name.into();
        self.list.push(Arc::clone(&name));
        self.numbers.insert(name, symbol);
        symbol
    }

    /// The number of a name that some run has used.
    pub(crate) fn get(&self, name: &str) -> Option<Symbol> {
        self.numbers.get(name).copied()
    }

    /// The name.
    pub(crate) fn text(&self, symbol: Symbol) -> &str {
        self.list
            .get(symbol.0 as usize)
            .map_or("", |name| name.as_ref())
    }
}
