//! What a watched optimizer records, read back from the run.

mod support;
mod trouble;
mod values;

/// `cargo nextest run -p cresset-candle --features cuda --run-ignored only`
#[cfg(feature = "cuda")]
mod on_a_gpu {
    use candle_core::{Device, Result};
    use cresset_run::Cadence;

    use crate::trouble::a_bad_value_is_named_with_its_step;
    use crate::values::{
        variables_of_all_types, weights_are_those_of_the_unwatched_run,
        what_is_recorded_is_what_was_there,
    };

    #[test]
    #[ignore = "needs an NVIDIA GPU"]
    fn recorded_values() -> Result<()> {
        what_is_recorded_is_what_was_there(&Device::new_cuda(0)?)
    }

    #[test]
    #[ignore = "needs an NVIDIA GPU"]
    fn weights() -> Result<()> {
        weights_are_those_of_the_unwatched_run(&Device::new_cuda(0)?)
    }

    #[test]
    #[ignore = "needs an NVIDIA GPU"]
    fn bad_values() -> Result<()> {
        a_bad_value_is_named_with_its_step(&Device::new_cuda(0)?, Cadence::Every(1))
    }

    #[test]
    #[ignore = "needs an NVIDIA GPU"]
    fn all_types() -> Result<()> {
        variables_of_all_types(&Device::new_cuda(0)?)
    }
}
