use candle_core::{DType, Result, Var};
use candle_nn::{Optimizer, SGD, VarMap};
use cresset_record::{RunDir, RunView};

use super::*;

/// Two observers of the same variables, one of which takes them for those of another device, find the same.
#[test]
fn device_operations_find_what_the_kernel_for_cpus_finds() -> Result<()> {
    let varmap = VarMap::new();
    for (name, dtype) in [("a", DType::F32), ("b", DType::BF16), ("c", DType::F64)] {
        let values = Tensor::randn(0f32, 1f32, (40, 30), &Device::Cpu)?.to_dtype(dtype)?;
        let mut data = varmap.data().lock().unwrap();
        data.insert(name.into(), Var::from_tensor(&values)?);
    }
    let dir = tempfile::tempdir()?;
    let run = cresset_run::init("observer")
        .dir(dir.path())
        .start()
        .unwrap();
    let path = run.dir().unwrap().to_owned();
    let observer = |prefix| Observer::new(&run, Names::from_varmap(&varmap), prefix, true, true);
    let mut observers = [observer("host/"), observer("device/")];
    observers[1].everything_on_device = true;
    let mut sgd = SGD::new(varmap.all_vars(), 0.1)?;
    for step in 0..3 {
        let squares = varmap.all_vars().into_iter().map(|var| {
            let var = var.to_dtype(DType::F32)?;
            (var.sqr()? * &var)?.sum_all()
        });
        let loss = squares.reduce(|a, b| a? + b?).unwrap()?;
        let grads = loss.backward()?;
        let begun: Vec<_> = observers
            .iter_mut()
            .map(|o| o.before_step(&grads, false).unwrap())
            .collect();
        sgd.step(&grads)?;
        for (observer, begun) in observers.iter_mut().zip(begun) {
            observer.after_step(step, begun);
        }
        while run.backlog() > 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    let accounts = observers.map(|o| o.account(Duration::ZERO));
    assert_eq!(accounts.map(|a| (a.observed, a.skipped)), [(3, 0); 2]);
    assert!(run.finish().complete);
    assert_same_series(&RunView::open(RunDir::new(path)).unwrap());
    Ok(())
}

fn assert_same_series(view: &RunView) {
    let histograms: Vec<_> = view.histograms().map(|(k, _, h)| (k.as_str(), h)).collect();
    let scalars: Vec<_> = view
        .series()
        .map(|(k, _, s)| (k.as_str(), s.points()))
        .collect();
    assert_eq!((histograms.len(), scalars.len()), (2 * 6, 2 * 4));
    let is_close = |a: f64, b: f64| (a - b).abs() <= 1e-12 * a.abs().max(1.0);
    for (key, found) in histograms.iter().filter(|(k, _)| k.contains("/device/")) {
        let twin = key.replace("/device/", "/host/");
        let expected = histograms.iter().find(|(k, _)| *k == twin).unwrap().1;
        for (found, expected) in found.iter().zip(expected) {
            assert_eq!(found.step, expected.step);
            let (found, expected) = (&found.value, &expected.value);
            assert_eq!(found.histogram, expected.histogram, "{key}");
            assert_eq!((found.min, found.max), (expected.min, expected.max));
            assert!(is_close(found.sum, expected.sum) && is_close(found.sum_sq, expected.sum_sq));
        }
    }
    for (key, found) in scalars.iter().filter(|(k, _)| k.contains("/device/")) {
        let twin = key.replace("/device/", "/host/");
        let expected = scalars.iter().find(|(k, _)| *k == twin).unwrap().1;
        assert_eq!((found.len(), expected.len()), (3, 3), "{key}");
        let mut pairs = found.iter().zip(expected);
        assert!(
            pairs.all(|(a, b)| is_close(a.value, b.value)),
            "{key}: {found:?} {expected:?}"
        );
    }
}
