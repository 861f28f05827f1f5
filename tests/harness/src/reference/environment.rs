//! What surrounded the runs.

use serde_json::{Map, Value as Json, json};

use super::plan::Plan;

pub(super) fn environment(plan: &Plan) -> Map<String, Json> {
    let commits = [
        "3f9c1e07b5d24a6f8e90c1d2b3a4958677e8f901",
        "a81d44c07e9e4b1f95b2d07f6c3e8a1b24d5f690",
        "5b7e2a90f1c84d33a6e7f8091a2b3c4d5e6f7081",
    ];
    let dirty = plan.number % 4 == 3;
    let mut git = json!({
        "root": "/home/mira/harbor",
        "commit": commits[(plan.number / 11) as usize % 3],
        "branch": if plan.group.is_some() { "main" } else { "mira/line-3" },
        "dirty": dirty,
        "untracked": plan.number % 3,
        "remote": "git.harbor.example:vision/harbor.git",
    });
    if dirty {
        git["diff"] = json!(DIFF);
    }
    let gpus = if plan.gpus {
        json!([
            {"model": "NVIDIA RTX 4000 Ada Generation", "uuid": "GPU-6d3c9b8e-0001-4c8e-8d53-0b2a7e1f9a01", "bus": "0000:41:00.0"},
            {"model": "NVIDIA RTX 4000 Ada Generation", "uuid": "GPU-6d3c9b8e-0002-4c8e-8d53-0b2a7e1f9a02", "bus": "0000:61:00.0"},
        ])
    } else {
        json!([])
    };
    let mut environment = json!({
        "build": {"cresset": "0.1.0", "debug_assertions": false, "opt_level": "3", "rustc": "rustc 1.95.0 (stable)", "target": "x86_64-unknown-linux-gnu"},
        "variables": {"CANDLE_NUM_THREADS": "1", "RAYON_NUM_THREADS": "8"},
        "host": {
            "name": if plan.gpus { "forge-2" } else { "anvil" }, "os": "linux", "os_version": "Debian GNU/Linux 12 (bookworm)",
            "kernel": "6.1.0-28-amd64", "architecture": "x86_64", "cpu_model": "AMD EPYC 7443P 24-Core Processor",
            "logical_cores": 48, "physical_cores": 24, "usable_cores": 8, "memory_bytes": 135_083_474_944_u64,
        },
        "program": {
            "executable": "/home/mira/harbor/target/release/defect-classifier",
            "arguments": arguments(plan), "directory": "/home/mira/harbor", "profile": "release",
        },
        "gpus": gpus,
        "crates": {"candle-core": "0.11.1", "candle-nn": "0.11.1", "safetensors": "0.8.0"},
        "git": git,
    });
    if plan.gpus {
        environment["gpu_driver"] = json!("570.124.06");
        environment["slurm"] = json!({"job_id": (48_200 + plan.number).to_string(), "job_partition": "gpu", "nodelist": "forge-2"});
    }
    environment.as_object().cloned().unwrap_or_default()
}

fn arguments(plan: &Plan) -> Vec<String> {
    let mut words = vec![
        "--arch".to_owned(),
        plan.arch.to_owned(),
        "--lr".to_owned(),
        plan.lr.to_string(),
        "--augment".to_owned(),
        plan.augment.to_owned(),
        "--seed".to_owned(),
        plan.seed.to_string(),
    ];
    if plan.gpus {
        words.extend(["--device".to_owned(), "cuda:0".to_owned()]);
    }
    words
}

const DIFF: &str = "diff --git a/src/schedule.rs b/src/schedule.rs
index 0f3a1c2..9be44d1 100644
--- a/src/schedule.rs
+++ b/src/schedule.rs
@@ -14,7 +14,8 @@ impl Schedule {
     pub fn rate(&self, step: u64) -> f64 {
         let done = step as f64 / self.total_steps as f64;
-        let cosine = 0.5 * (1.0 + (std::f64::consts::PI * done).cos());
+        // A floor: the last epochs still move.
+        let cosine = 0.02 + 0.49 * (1.0 + (std::f64::consts::PI * done).cos());
         self.peak * cosine.min(self.warmup(step))
     }
 }
";
