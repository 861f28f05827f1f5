//! The program from outside.

#[cfg(unix)]
mod dashboard;
mod resume;
mod support;
