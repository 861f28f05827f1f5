//! What a scheduler tells a process through its environment, by lists of names.

use serde_json::{Map, Value as Json};

use super::{Sources, non_empty, put, read};

/// After `SLURM_`; kept under the name in small letters.
const SLURM: &[&str] = &[
    "JOB_ID",
    "JOB_NAME",
    "JOB_PARTITION",
    "CLUSTER_NAME",
    "ARRAY_JOB_ID",
    "ARRAY_TASK_ID",
    "STEP_ID",
    "PROCID",
    "LOCALID",
    "NODEID",
    "NTASKS",
    "NNODES",
    "NODELIST",
    "JOB_NODELIST",
    "JOB_GPUS",
    "STEP_GPUS",
    "CPUS_PER_TASK",
    "RESTART_COUNT",
];

/// Variables that change which device computes, or with how many threads.
const VARIABLES: &[&str] = &[
    "CUDA_VISIBLE_DEVICES",
    "CUDA_DEVICE_ORDER",
    "NVIDIA_VISIBLE_DEVICES",
    "NVIDIA_TF32_OVERRIDE",
    "CUBLAS_WORKSPACE_CONFIG",
    "CANDLE_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
];

const NAMESPACE_FILE: &str = "var/run/secrets/kubernetes.io/serviceaccount/namespace";

pub(super) fn slurm(sources: &Sources) -> Option<Json> {
    let mut map = Map::new();
    for name in SLURM {
        let value = (sources.variable)(&format!("SLURM_{name}"));
        put(&mut map, &name.to_ascii_lowercase(), value);
    }
    non_empty(map)
}

pub(super) fn variables(sources: &Sources) -> Option<Json> {
    let mut map = Map::new();
    for name in VARIABLES {
        put(&mut map, name, (sources.variable)(name));
    }
    non_empty(map)
}

/// A pod's host name is its own name unless its manifest says otherwise; the other variables exist where it sets them.
pub(super) fn kubernetes(sources: &Sources) -> Option<Json> {
    let variable = sources.variable;
    variable("KUBERNETES_SERVICE_HOST")?;
    let namespace = variable("POD_NAMESPACE").or_else(|| read(sources.root.join(NAMESPACE_FILE)));
    let mut map = Map::new();
    put(
        &mut map,
        "pod",
        variable("POD_NAME").or_else(|| variable("HOSTNAME")),
    );
    put(&mut map, "namespace", namespace);
    put(&mut map, "node", variable("NODE_NAME"));
    put(&mut map, "pod_uid", variable("POD_UID"));
    Some(Json::Object(map))
}
