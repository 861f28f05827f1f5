//! What watching keeps alive, by counting every byte that is allocated.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::init::DEFAULT_KAIMING_NORMAL;
use candle_nn::{Optimizer, VarBuilder, VarMap};
use cresset_candle::{AdamW, Watch, Watched};
use cresset_run::{Cadence, Run, init};

struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);

#[expect(unsafe_code, reason = "an allocator is unsafe to implement")]
// SAFETY: every call is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of the same function.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of the same function.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const BATCH: usize = 1024;
const WIDTH: usize = 32;
const LAYERS: usize = 8;
/// Of one layer's output: 128 KiB.
const ACTIVATION: usize = 4 * BATCH * WIDTH;
const PARAMETERS: usize = 4 * LAYERS * WIDTH * WIDTH;

struct Training {
    run: Run,
    /// Used as they are: gradients of such variables come with the graph of the whole step.
    weights: Vec<Tensor>,
    optimizer: Watched<AdamW>,
    x: Tensor,
}

impl Training {
    fn step(&mut self) -> Result<()> {
        let mut x = self.x.clone();
        for weight in &self.weights {
            x = x.matmul(weight)?.relu()?;
        }
        self.optimizer.backward_step(&x.sqr()?.mean_all()?)
    }

    /// The bytes that an observation keeps while the worker cannot get to it.
    fn in_flight(&mut self, at_rest: usize) -> Result<usize> {
        let (release, wait) = mpsc::channel::<()>();
        assert!(self.run.defer(0, move |_| wait.recv().unwrap_or(())));
        self.step()?;
        let in_flight = LIVE.load(Ordering::Relaxed).saturating_sub(at_rest);
        drop(release);
        self.settle();
        Ok(in_flight)
    }

    fn settle(&self) {
        while self.run.backlog() > 0 {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    }
}

/// The activations of a step are 2 MiB and more. What an observation keeps until it is worked out is the gradients and
/// two copies of the parameters, and afterwards the memory of the copies.
#[test]
fn activations_are_freed_and_memory_does_not_grow() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let run = init("memory").dir(dir.path()).start().unwrap();
    let varmap = VarMap::new();
    let vb = VarBuilder::from_varmap(&varmap, DType::F32, &Device::Cpu);
    let weights = (0..LAYERS)
        .map(|i| vb.get_with_hints((WIDTH, WIDTH), &format!("w{i}"), DEFAULT_KAIMING_NORMAL));
    let adamw = |varmap: &VarMap| AdamW::new_lr(varmap.all_vars(), 1e-3);
    let mut training = Training {
        weights: weights.collect::<Result<_>>()?,
        optimizer: Watch::new(&run)
            .cadence(Cadence::Every(1))
            .optimizer(adamw(&varmap)?, &varmap),
        x: Tensor::ones((BATCH, WIDTH), DType::F32, &Device::Cpu)?,
        run,
    };
    // Until all threads of the matrix products have their scratch memory.
    for _ in 0..20 {
        training.step()?;
        training.settle();
    }
    let at_rest = LIVE.load(Ordering::Relaxed);

    let in_flight = (0..5).map(|_| training.in_flight(at_rest));
    // The least of several: a thread of the matrix products may still come by its scratch memory.
    let in_flight = in_flight.collect::<Result<Vec<_>>>()?.into_iter().min();
    assert!(
        in_flight
            .is_some_and(|bytes| (PARAMETERS / 2..PARAMETERS + ACTIVATION / 2).contains(&bytes)),
        "{in_flight:?} bytes in flight; the gradients are {PARAMETERS}"
    );

    for _ in 0..200 {
        training.step()?;
        training.settle();
    }
    let account = training.optimizer.account();
    assert_eq!((account.observed, account.skipped), (225, 0));
    let grown = LIVE.load(Ordering::Relaxed).saturating_sub(at_rest);
    assert!(grown < PARAMETERS, "{grown} bytes more after 200 steps");
    Ok(())
}
