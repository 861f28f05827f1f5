//! Runs that are written for the benchmark.

use std::fs;

use anyhow::Result;
use cresset_record::{
    End, FrameBuilder, Key, KeyId, LogWriter, Outcome, Project, Rank, Record, Root, Row, RunId,
    Start, Timestamp,
};
use serde_json::Map;

/// What values look like.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// A decay with noise in every digit.
    Noisy,
    /// The same out of an `f32`, as losses are.
    Single,
    /// A decay without noise out of an `f32`, as schedules and running means are.
    Smooth,
}

impl Kind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Noisy => "noisy f64",
            Self::Single => "noisy f32",
            Self::Smooth => "smooth f32",
        }
    }

    fn value(self, step: u64, series: u32, random: &mut u64) -> f64 {
        *random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let noise = (*random >> 11) as f64 / (1u64 << 53) as f64 - 0.5;
        // Begins again now and then: a decay that has come to nothing would take no room.
        let curve = (-((step % 200_000) as f64) / 3e4).exp() * (1.0 + f64::from(series));
        match self {
            Self::Noisy => curve * (1.0 + 0.1 * noise),
            Self::Single => f64::from((curve * (1.0 + 0.1 * noise)) as f32),
            Self::Smooth => f64::from(curve as f32),
        }
    }
}

/// The project of all of them.
pub(crate) fn project() -> Result<Project> {
    Ok(Project::try_from("bench".to_owned())?)
}

/// Writes a finished run; a frame holds 20 rows, as the recorder makes of a loop of a thousand steps a second.
pub(crate) fn write(root: &Root, id: &str, series: u32, steps: u64, kind: Kind) -> Result<()> {
    let run = RunId::try_from(id.to_owned())?;
    let dir = root.run(&project()?, &run);
    fs::create_dir_all(dir.path())?;
    let mut log = LogWriter::create(&dir, Rank(0))?;
    let mut frame = FrameBuilder::default();
    let start = Timestamp(1_700_000_000_000_000);
    frame.push(&Record::Start(Box::new(Start {
        run,
        project: project()?,
        name: id.to_owned(),
        rank: Rank(0),
        world_size: None,
        time: start,
        group: None,
        job_type: None,
        tags: Vec::new(),
        notes: String::new(),
        config: Map::new(),
        cresset_version: "0.1.0".into(),
    })))?;
    for id in 0..series {
        let key = Key::new(&format!("train/series-{id:03}"))?;
        frame.push(&Record::Key { id: KeyId(id), key })?;
    }
    log.append(&mut frame)?;
    let mut random = 7u64;
    let mut time = start.0;
    for batch in 0..steps.div_ceil(20) {
        let rows = (batch * 20..steps.min(batch * 20 + 20)).map(|step| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            time += 1000 + (random >> 54) as i64;
            Row {
                step,
                time: Timestamp(time),
                points: (0..series)
                    .map(|s| (KeyId(s), kind.value(step, s, &mut random)))
                    .collect(),
            }
        });
        frame.push(&Record::Rows(rows.collect()))?;
        log.append(&mut frame)?;
    }
    frame.push(&Record::End(End {
        time: Timestamp(time),
        outcome: Outcome::Finished,
    }))?;
    log.append(&mut frame)?;
    Ok(())
}
