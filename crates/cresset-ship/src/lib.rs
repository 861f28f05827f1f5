//! Carries runs elsewhere: what a run's log says is followed, from a cursor of each target's own, and given to a Cresset server, MLflow,
//! W&B or TensorBoard.
//!
//! A [`Target`] carries one run to one place, as far as it gets. What it has carried stands in a [`Ledger`] beside the run, so that an outage, a
//! restart or a day offline are one thing: go on from the ledger. Trackers other than ours take [`Event`]s, by a [`Sink`].
//!
//! `cresset sync` is this with a command line. A [`Shipment`] carries a run to a [`Destination`] as people write it, such as
//! `https://cresset.example.org` or, here, a folder that TensorBoard is pointed to:
//!
//! ```
//! use cresset_record::RunDir;
//! use cresset_ship::{Destination, Shipment, Step};
//!
//! # let place = tempfile::tempdir()?;
//! # let run = cresset_run::init("solder").dir(place.path()).name("amber-harbor-7").start()?;
//! # run.log(0, [("train/loss", 0.69)]);
//! # let dir = RunDir::new(run.finish().dir.ok_or("not recorded")?);
//! # let folder = place.path().join("board");
//! let to: Destination = format!("tensorboard:{}?keys=train/*", folder.display()).parse()?;
//! let secret = |name: &str| std::env::var(name).ok(); // a server would ask for its key by the variable's name
//! let mut shipment = Shipment::new(dir.clone(), to.clone(), secret);
//! loop {
//!     match shipment.step()? {
//!         Step::Carried(progress) if progress.is_done => break, // the run has ended, and all of it is there
//!         Step::Carried(_) => {}
//!         Step::Waits { error, pause } => {
//!             eprintln!("{error}; trying again in {pause:?}");
//!             std::thread::sleep(pause);
//!         }
//!     }
//! }
//! assert!(to.has_all_of(&dir)); // says the ledger: another process would carry nothing again
//! assert!(folder.join("solder/amber-harbor-7").join(dir.id_text()).is_dir());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod destination;
mod error;
mod event;
mod events;
mod http;
pub mod import;
mod ledger;
pub mod mlflow;
mod proto;
mod roots;
mod selection;
mod server;
mod shipment;
mod sieve;
mod sink;
mod target;
pub mod tensorboard;
pub mod wandb;
mod wire;

pub use destination::{Destination, Secrets};
pub use error::ShipError;
pub use event::Event;
pub use events::Events;
pub use ledger::Ledger;
pub use roots::trusted_authorities;
pub use selection::Selection;
pub use server::{Server, check_key};
pub use shipment::{Shipment, Step};
pub use sink::{Memory, Sink};
pub use target::{Progress, Target};
pub use wire::{bytes_sent, limit_rate};
