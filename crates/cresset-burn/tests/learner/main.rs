//! burn's Learner, Evaluator and custom loops with Cresset, on burn's backend for CPUs.

mod checkpoints;
mod loops;
mod metrics;
mod same;
mod samples;
mod silent;
mod support;
mod trouble;
mod watched;
