//! The server as a browser and a program see it: over real sockets, on runs that were recorded.

mod access;
mod assets;
mod blobs;
mod client;
mod document;
mod events;
mod guard;
mod issuer;
mod oidc;
mod people;
mod proxied;
mod recorded;
mod run;
mod series;
mod server;
mod slow;
mod sweep;
mod table;
mod team;
mod tls;
mod users;
