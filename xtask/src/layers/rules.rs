//! Who may depend on whom.

/// What one of our packages may depend on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    pub(super) package: &'static str,
    /// Our own packages that it may use.
    pub(super) uses: &'static [&'static str],
    /// Further ones that its tests, benchmarks and examples may use.
    pub(super) tests_use: &'static [&'static str],
    /// What it must not reach, however indirectly, with any features.
    pub(super) never: &'static [Family],
}

/// Packages of others that serve one purpose.
#[derive(Clone, Copy, Debug)]
pub(super) struct Family {
    pub(super) name: &'static str,
    /// Names of packages; a `*` at the end stands for any ending.
    packages: &'static [&'static str],
}

impl Family {
    pub(super) const fn new(name: &'static str, packages: &'static [&'static str]) -> Self {
        Self { name, packages }
    }

    /// Whether the package `name` is one of these.
    pub(super) fn has(&self, name: &str) -> bool {
        self.packages
            .iter()
            .any(|package| match package.strip_suffix('*') {
                Some(beginning) => name.starts_with(beginning),
                None => *package == name,
            })
    }
}

/// A run is recorded in the process that trains. What comes into that process with us must not open connections, start an
/// executor or bring a database, whatever the user switches on.
const NETWORK: Family = Family::new(
    "the network",
    &[
        "actix-*",
        "attohttpc",
        "axum",
        "axum-*",
        "curl",
        "curl-sys",
        "h2",
        "h3",
        "hyper",
        "hyper-*",
        "isahc",
        "minreq",
        "native-tls",
        "object_store",
        "openssl",
        "openssl-sys",
        "quinn",
        "quinn-*",
        "reqwest",
        "rocket",
        "rustls",
        "tiny_http",
        "tonic",
        "tower-http",
        "tungstenite",
        "ureq",
        "warp",
    ],
);
const ASYNC: Family = Family::new(
    "async",
    &[
        "async-executor",
        "async-global-executor",
        "async-io",
        "async-std",
        "embassy-*",
        "futures",
        "futures-executor",
        "futures-util",
        "glommio",
        "monoio",
        "smol",
        "tokio",
        "tokio-*",
    ],
);
const DATABASE: Family = Family::new(
    "a database",
    &[
        "clickhouse",
        "diesel",
        "duckdb",
        "heed",
        "libsqlite3-sys",
        "lmdb*",
        "mongodb",
        "mysql*",
        "postgres",
        "redb",
        "redis",
        "rocksdb",
        "rusqlite",
        "sea-orm",
        "sled",
        "sqlite",
        "sqlx",
        "sqlx-*",
        "tokio-postgres",
    ],
);
/// A training framework: each is known to its own callback crate and to examples, so that nobody gets two of them, or two
/// versions of one.
const CANDLE: Family = Family::new(
    "candle",
    &[
        "candle-core",
        "candle-nn",
        "candle-transformers",
        "candle-datasets",
        "candle-kernels",
        "candle-onnx",
        "candle-optimisers",
        "candle-examples",
    ],
);
const BURN: Family = Family::new("burn", &["burn", "burn-*", "cubecl", "cubecl-*"]);

/// burn brings futures that nobody runs; these would run them. tokio itself cannot be named: on the web, and only there,
/// wasm-bindgen-futures takes its channels, and this reads the trees of all targets. What comes with tokio once it runs something is.
const EXECUTORS: Family = Family::new(
    "an executor",
    &[
        "async-executor",
        "async-global-executor",
        "async-std",
        "glommio",
        "mio",
        "monoio",
        "smol",
        "tokio-*",
    ],
);
/// What burn computes with is the user's choice. (burn-train brings flex, its backend for CPUs, whatever it is asked for.)
const BACKENDS: Family = Family::new(
    "a backend of burn's",
    &[
        "burn-cpu",
        "burn-cubecl",
        "burn-cuda",
        "burn-ndarray",
        "burn-rocm",
        "burn-tch",
        "burn-wgpu",
        "cubecl-cpu",
        "cubecl-cuda",
        "cubecl-hip",
        "cubecl-wgpu",
        "tch",
        "wgpu",
        "wgpu-*",
    ],
);

const NETWORK_OR_ASYNC: &[Family] = &[NETWORK, ASYNC];
const SERVICES_OR_BURN: &[Family] = &[NETWORK, ASYNC, DATABASE, BURN];
const SERVICES_CANDLE_OR_BACKENDS: &[Family] = &[NETWORK, EXECUTORS, DATABASE, CANDLE, BACKENDS];
const SERVICES_OR_FRAMEWORKS: &[Family] = &[NETWORK, ASYNC, DATABASE, CANDLE, BURN];
const NETWORK_ASYNC_OR_FRAMEWORKS: &[Family] = &[NETWORK, ASYNC, CANDLE, BURN];
const ASYNC_DATABASE_OR_FRAMEWORKS: &[Family] = &[ASYNC, DATABASE, CANDLE, BURN];
const FRAMEWORKS: &[Family] = &[CANDLE, BURN];

/// The architecture, a line a package. A package without a line is an error: think where it belongs, then say it here and in
/// `docs/ARCHITECTURE.md`.
pub(super) const RULES: &[Rule] = &[
    rule("cresset-record", &[], &[], SERVICES_OR_FRAMEWORKS),
    rule(
        "cresset-run",
        &["cresset-record"],
        &[],
        SERVICES_OR_FRAMEWORKS,
    ),
    rule(
        "cresset-candle",
        &["cresset-record", "cresset-run"],
        &["candle-im2col", "cresset"],
        SERVICES_OR_BURN,
    ),
    rule(
        "cresset-burn",
        &["cresset-run"],
        &["cresset", "cresset-record"],
        SERVICES_CANDLE_OR_BACKENDS,
    ),
    rule("candle-im2col", &[], &[], SERVICES_OR_BURN),
    rule(
        "cresset-telemetry",
        &["cresset-record", "cresset-run"],
        &[],
        SERVICES_OR_FRAMEWORKS,
    ),
    rule(
        "cresset",
        &["cresset-run", "cresset-telemetry"],
        &["cresset-record"],
        SERVICES_OR_FRAMEWORKS,
    ),
    // The store is asked by programs of many kinds: which executor they have, and how they are reached, is theirs to say.
    rule(
        "cresset-store",
        &["cresset-record"],
        &["cresset-run"],
        NETWORK_ASYNC_OR_FRAMEWORKS,
    ),
    // Goes to others over the network, on threads of its own.
    rule(
        "cresset-ship",
        &["cresset-record"],
        &["cresset-run"],
        ASYNC_DATABASE_OR_FRAMEWORKS,
    ),
    rule(
        "cresset-server",
        &["cresset-record", "cresset-store"],
        &["cresset-run"],
        FRAMEWORKS,
    ),
    rule(
        "cresset-cli",
        &[
            "cresset-record",
            "cresset-server",
            "cresset-ship",
            "cresset-store",
            "cresset-telemetry",
        ],
        &["cresset-run"],
        FRAMEWORKS,
    ),
    rule("solder-joints", &[], &[], SERVICES_OR_FRAMEWORKS),
    rule(
        "defect-workload",
        &["solder-joints"],
        &[],
        SERVICES_OR_FRAMEWORKS,
    ),
    rule(
        "defect-classifier-burn",
        &[
            "cresset",
            "cresset-burn",
            "defect-workload",
            "solder-joints",
        ],
        &["cresset-record"],
        SERVICES_CANDLE_OR_BACKENDS,
    ),
    rule(
        "defect-classifier",
        &[
            "candle-im2col",
            "cresset",
            "cresset-candle",
            "defect-workload",
            "solder-joints",
        ],
        &["cresset-record"],
        SERVICES_OR_BURN,
    ),
    rule(
        "cresset-benches",
        &[
            "candle-im2col",
            "cresset",
            "cresset-candle",
            "cresset-record",
            "cresset-run",
            "cresset-store",
            "defect-classifier",
            "solder-joints",
        ],
        &[],
        NETWORK_OR_ASYNC,
    ),
    // What records and what indexes, on a file system that misbehaves.
    rule(
        "cresset-faults",
        &["cresset-record", "cresset-run", "cresset-store"],
        &[],
        NETWORK_ASYNC_OR_FRAMEWORKS,
    ),
    // Writes logs itself, at times of its own choosing, as a second writer would.
    rule(
        "cresset-tests",
        &["cresset-record", "cresset-run", "cresset-telemetry"],
        &[],
        SERVICES_OR_FRAMEWORKS,
    ),
    rule("xtask", &[], &[], SERVICES_OR_FRAMEWORKS),
];

const fn rule(
    package: &'static str,
    uses: &'static [&'static str],
    tests_use: &'static [&'static str],
    never: &'static [Family],
) -> Rule {
    Rule {
        package,
        uses,
        tests_use,
        never,
    }
}

/// Whether our package `name` may depend on a training framework by itself.
pub(super) fn may_declare(rule: &Rule, dependency: &str) -> bool {
    !FRAMEWORKS.iter().any(|f| f.has(dependency)) || !rule.never.iter().any(|f| f.has(dependency))
}
