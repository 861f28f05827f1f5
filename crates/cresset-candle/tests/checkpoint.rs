//! A run that is interrupted and resumed from a checkpoint, and checkpoints that must be refused.

mod device;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use candle_core::{DType, Module, ModuleT, Result, Tensor};
use candle_nn::{BatchNorm, Conv2d, Conv2dConfig, Linear, Optimizer, VarBuilder, VarMap};
use cresset_candle::{
    AdamW, Checkpoint, CheckpointError, OptimizerSnapshot, ResumableOptimizer, TensorProblem,
    TrainState,
};

use crate::device::device;

struct Net {
    conv: Conv2d,
    norm: BatchNorm,
    head: Linear,
}

impl Net {
    fn new(classes: usize, vb: VarBuilder) -> Result<Self> {
        Ok(Self {
            conv: candle_nn::conv2d(1, 4, 3, Conv2dConfig::default(), vb.pp("conv"))?,
            norm: candle_nn::batch_norm(4, 1e-5, vb.pp("norm"))?,
            head: candle_nn::linear(4, classes, vb.pp("head"))?,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let x = self.norm.forward_t(&self.conv.forward(x)?, true)?.relu()?;
        self.head.forward(&x.mean((2, 3))?)
    }
}

/// A model with its optimizer, as a program would build them anew.
struct Session {
    varmap: VarMap,
    net: Net,
    optimizer: AdamW,
}

impl Session {
    fn new() -> Result<Self> {
        let varmap = VarMap::new();
        let net = Net::new(3, VarBuilder::from_varmap(&varmap, DType::F32, device()))?;
        let optimizer = AdamW::new_lr(varmap.all_vars(), 1e-2)?;
        Ok(Self {
            varmap,
            net,
            optimizer,
        })
    }

    fn train(&mut self, steps: std::ops::Range<u64>) -> Result<()> {
        for step in steps {
            let values =
                (0..4 * 36).map(|i| ((i as u64 * 37 + step * 101) % 89) as f32 / 44.0 - 1.0);
            let x = Tensor::from_iter(values, device())?.reshape((4, 1, 6, 6))?;
            let y = Tensor::new(&[0u32, 1, 2, (step % 3) as u32], device())?;
            let loss = candle_nn::loss::cross_entropy(&self.net.forward(&x)?, &y)?;
            self.optimizer.set_learning_rate(1e-2 / (1.0 + step as f64));
            self.optimizer.backward_step(&loss)?;
        }
        Ok(())
    }

    fn bits(&self) -> Result<BTreeMap<String, Vec<u32>>> {
        let vars = self.varmap.data().lock().unwrap();
        vars.iter()
            .map(|(name, var)| {
                let values = var.flatten_all()?.to_vec1::<f32>()?;
                Ok((name.clone(), values.into_iter().map(f32::to_bits).collect()))
            })
            .collect()
    }

    fn save(&self, path: &Path, state: &TrainState) -> std::result::Result<(), CheckpointError> {
        Checkpoint::save(path, &self.varmap, Some(&self.optimizer), state)
    }

    fn load(&mut self, path: &Path) -> std::result::Result<TrainState, CheckpointError> {
        Checkpoint::load(path, &self.varmap, Some(&mut self.optimizer))
    }
}

fn state() -> TrainState {
    TrainState {
        step: 5,
        epoch: 2,
        rng: BTreeMap::from([(
            "shuffle".to_owned(),
            vec![u64::MAX, 0, 0x0123_4567_89ab_cdef],
        )]),
        extra: serde_json::json!({"arch": "tiny", "best": 0.1 + 0.2, "tiny": 5e-324, "nested": [1, null]}),
    }
}

fn saved(path: &Path) -> Session {
    let mut session = Session::new().unwrap();
    session.train(0..5).unwrap();
    session.save(path, &state()).unwrap();
    session
}

#[test]
fn a_resumed_run_has_the_weights_of_an_uninterrupted_one() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("last.safetensors");
    let mut straight = saved(&path);
    straight.train(5..10)?;

    let mut resumed = Session::new()?;
    assert_ne!(
        resumed.bits()?,
        straight.bits()?,
        "a fresh model is another model"
    );
    assert_eq!(resumed.load(&path).unwrap(), state());
    resumed.train(5..10)?;
    assert_eq!(resumed.bits()?, straight.bits()?);
    assert!(
        straight
            .bits()?
            .keys()
            .any(|name| name == "norm.running_var"),
        "statistics are part of it"
    );
    Ok(())
}

#[test]
fn without_the_moments_the_run_would_bend() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("last.safetensors");
    let mut straight = saved(&path);
    straight.train(5..10)?;

    let mut resumed = Session::new()?;
    Checkpoint::load(&path, &resumed.varmap, None).unwrap();
    resumed.train(5..10)?;
    assert_ne!(
        resumed.bits()?,
        straight.bits()?,
        "this test would prove nothing"
    );
    Ok(())
}

#[test]
fn a_checkpoint_is_a_snapshot_and_can_be_written_by_another_thread() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("last.safetensors");
    let mut session = Session::new()?;
    session.train(0..2)?;
    let then = session.bits()?;
    let checkpoint =
        Checkpoint::capture(&session.varmap, Some(&session.optimizer), &state()).unwrap();
    let writer = {
        let path = path.clone();
        std::thread::spawn(move || checkpoint.write(path))
    };
    session.train(2..4)?;
    writer.join().unwrap().unwrap();
    let mut other = Session::new()?;
    other.load(&path).unwrap();
    assert_eq!(other.bits()?, then);
    assert_eq!(other.optimizer.step_count(), 2);
    Ok(())
}

#[test]
fn the_file_is_also_plain_weights() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("last.safetensors");
    let session = saved(&path);
    let mut varmap = VarMap::new();
    Net::new(3, VarBuilder::from_varmap(&varmap, DType::F32, device()))?;
    varmap.load(&path)?;
    let plain = Session {
        varmap,
        ..Session::new()?
    };
    assert_eq!(plain.bits()?, session.bits()?);
    Ok(())
}

#[test]
fn the_state_can_be_read_before_there_is_a_model() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("last.safetensors");
    saved(&path);
    assert_eq!(Checkpoint::read_state(&path).unwrap(), state());
}

#[test]
fn another_model_is_refused_and_left_as_it_is() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("last.safetensors");
    saved(&path);

    let varmap = VarMap::new();
    let vb = VarBuilder::from_varmap(&varmap, DType::F32, device());
    candle_nn::conv2d(1, 4, 3, Conv2dConfig::default(), vb.pp("conv"))?;
    candle_nn::linear(4, 5, vb.pp("head"))?;
    candle_nn::linear(2, 2, vb.pp("extra"))?;
    let before = varmap.data().lock().unwrap()["conv.weight"]
        .flatten_all()?
        .to_vec1::<f32>()?;

    let error = Checkpoint::load(&path, &varmap, None).unwrap_err();
    let CheckpointError::Mismatch { problems, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(problems.len(), 8, "{problems:#?}");
    assert!(problems.contains(&TensorProblem::Missing {
        name: "extra.weight".into(),
        shape: vec![2, 2]
    }));
    assert!(problems.contains(&TensorProblem::Unexpected {
        name: "norm.bias".into(),
        shape: vec![4]
    }));
    let message = error.to_string();
    assert!(
        message.contains("`head.weight` is F32 [3, 4], expected F32 [5, 4]"),
        "{message}"
    );
    assert!(message.contains("and 3 more"), "{message}");
    assert_eq!(
        varmap.data().lock().unwrap()["conv.weight"]
            .flatten_all()?
            .to_vec1::<f32>()?,
        before
    );
    Ok(())
}

#[test]
fn another_type_is_refused() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("last.safetensors");
    saved(&path);
    let varmap = VarMap::new();
    Net::new(3, VarBuilder::from_varmap(&varmap, DType::F64, device()))?;
    let message = Checkpoint::load(&path, &varmap, None)
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("`conv.bias` is F32 [4], expected F64 [4]"),
        "{message}"
    );
    Ok(())
}

#[test]
fn every_damaged_byte_is_noticed_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("last.safetensors");
    let mut session = saved(&path);
    session.train(5..7).unwrap();
    let before = session.bits().unwrap();
    let good = fs::read(&path).unwrap();
    let mut damaged_tensor = false;
    for at in (0..good.len()).step_by(7).chain(good.len() - 3..good.len()) {
        let mut bad = good.clone();
        bad[at] ^= 0x11;
        fs::write(&path, &bad).unwrap();
        let error = session.load(&path).expect_err("a flipped byte");
        damaged_tensor |= error.to_string().contains("does not match its checksum");
        assert_eq!(session.optimizer.step_count(), 7, "byte {at}: {error}");
    }
    assert!(damaged_tensor);
    for length in [0, 4, 8, 100, good.len() / 2, good.len() - 1] {
        fs::write(&path, &good[..length]).unwrap();
        let error = session.load(&path).unwrap_err();
        assert!(
            matches!(error, CheckpointError::Damaged { .. }),
            "{length} bytes: {error}"
        );
    }
    assert_eq!(session.bits().unwrap(), before);
}

#[test]
fn a_newer_version_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("future.safetensors");
    let metadata = [("cresset.checkpoint.version".to_owned(), "2".to_owned())].into();
    let tensor = Tensor::zeros(1, DType::F32, device()).unwrap();
    safetensors::serialize_to_file([("later", &tensor)], Some(metadata), &path).unwrap();
    let message = Session::new().unwrap().load(&path).unwrap_err().to_string();
    assert!(
        message.ends_with("has format version 2, this program reads up to 1"),
        "{message}"
    );
}

#[test]
fn plain_weights_are_no_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("weights.safetensors");
    let mut session = Session::new().unwrap();
    session.varmap.save(&path).unwrap();
    assert!(matches!(
        session.load(&path),
        Err(CheckpointError::NotACheckpoint { .. })
    ));
}

#[test]
fn an_optimizer_needs_its_own_state() {
    struct Other(AdamW);
    impl ResumableOptimizer for Other {
        fn snapshot(&self) -> Result<OptimizerSnapshot> {
            Ok(OptimizerSnapshot {
                algorithm: "other".into(),
                ..self.0.snapshot()?
            })
        }
        fn restore(&mut self, snapshot: &OptimizerSnapshot) -> Result<()> {
            self.0.restore(snapshot)
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("last.safetensors");
    let session = saved(&path);
    let mut other = Other(AdamW::new_lr(session.varmap.all_vars(), 1e-3).unwrap());
    let error = Checkpoint::load(&path, &session.varmap, Some(&mut other)).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("is of the optimizer `adamw`, not `other`"),
        "{error}"
    );

    Checkpoint::save(&path, &session.varmap, None, &state()).unwrap();
    let mut session = session;
    assert!(matches!(
        session.load(&path),
        Err(CheckpointError::NoOptimizer { .. })
    ));
    assert_eq!(
        Checkpoint::load(&path, &session.varmap, None).unwrap(),
        state()
    );
}

#[test]
fn parameters_without_a_name_are_refused() -> Result<()> {
    let varmap = VarMap::new();
    Net::new(3, VarBuilder::from_varmap(&varmap, DType::F32, device()))?;
    let foreign = Session::new()?.optimizer;
    let error = Checkpoint::capture(&varmap, Some(&foreign), &state()).unwrap_err();
    assert!(
        error.to_string().contains("that is not in the VarMap"),
        "{error}"
    );

    let mut twice = varmap.all_vars();
    twice.extend(varmap.all_vars());
    let twice = AdamW::new_lr(twice, 1e-3)?;
    let error = Checkpoint::capture(&varmap, Some(&twice), &state()).unwrap_err();
    assert!(error.to_string().contains("twice"), "{error}");

    let reserved = VarMap::new();
    let vb = VarBuilder::from_varmap(&reserved, DType::F32, device());
    vb.get_with_hints(1, "optimizer/lr", candle_nn::Init::Const(0.0))?;
    let error = Checkpoint::capture(&reserved, None, &state()).unwrap_err();
    assert!(
        error.to_string().contains("kept for the optimizer"),
        "{error}"
    );
    Ok(())
}

#[test]
fn a_failed_write_leaves_the_old_checkpoint_and_no_litter() {
    let dir = tempfile::tempdir().unwrap();
    let session = Session::new().unwrap();
    let gone = dir.path().join("no-such-folder").join("last.safetensors");
    let error = session.save(&gone, &state()).unwrap_err();
    assert!(
        error.to_string().starts_with("cannot write the checkpoint"),
        "{error}"
    );

    // A folder cannot be replaced by a file, so the rename fails after the temporary file was written.
    let taken = dir.path().join("taken");
    fs::create_dir(&taken).unwrap();
    fs::write(taken.join("keep"), "old").unwrap();
    session.save(&taken, &state()).unwrap_err();
    assert_eq!(fs::read_to_string(taken.join("keep")).unwrap(), "old");
    let names: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["taken"]);
    let missing = Session::new().unwrap().load(&gone).unwrap_err();
    assert!(
        missing
            .to_string()
            .starts_with("cannot read the checkpoint"),
        "{missing}"
    );
}

#[test]
fn a_checkpoint_replaces_the_one_before() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("last.safetensors");
    let mut session = saved(&path);
    session.train(5..6).unwrap();
    let later = TrainState { step: 6, ..state() };
    session.save(&path, &later).unwrap();
    assert_eq!(Checkpoint::read_state(&path).unwrap(), later);
    assert_eq!(
        fs::read_dir(dir.path()).unwrap().count(),
        1,
        "no temporary file is left"
    );
}
