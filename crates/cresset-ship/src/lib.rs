//! Carries runs elsewhere: what a run's log says is followed, from a cursor of each target's own, and given to a Cresset server, MLflow,
//! W&B or TensorBoard.
//!
//! A [`Target`] carries one run to one place, as far as it gets. What it has carried stands in a [`Ledger`] beside the run, so that an outage, a
//! restart or a day offline are one thing: go on from the ledger. Trackers other than ours take [`Event`]s, by a [`Sink`].

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
