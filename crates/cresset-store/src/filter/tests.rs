use cresset_record::{State, Timestamp};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::table::fixture::{document, object};

fn run() -> RunDocument {
    let mut run = document("solder", "r7");
    run.name = "resnet-v4-7".into();
    run.state = State::Finished;
    run.tags = vec!["v4".into(), "good one".into()];
    run.notes = "second try, with warm-up".into();
    // 2026-11-01T10:30:00Z.
    let created = 1_793_529_000_000_000;
    run.created = Some(Timestamp(created));
    run.active = Some(Timestamp(created + 754_200_000));
    run.summary = object(json!({
        "val/auc": 0.951,
        "val/auc (macro)": 0.9,
        "train/loss": "NaN",
        "train/peak": "inf",
        "in": 1,
    }));
    run.config = object(json!({
        "lr": 0.001f32,
        "epochs": 16_777_216,
        "amp": true,
        "resume": null,
        "optimizer": {"name": "adamw", "betas": [0.9, 0.999]},
        "data.path": "crops",
        "model": "50",
        "seed": 18_446_744_073_709_551_615_u64,
    }));
    run
}

fn passes(filter: &str) -> bool {
    Filter::parse(filter)
        .unwrap_or_else(|e| panic!("{e}"))
        .matches(&run())
}

#[test]
fn what_passes() {
    for filter in [
        "val/auc > 0.94 and tags has \"v4\"",
        "val/auc>=0.951 AND val/auc<=9.51e-1",
        "\"val/auc (macro)\" = 0.9",
        "state = finished",
        "state in (running, finished)",
        "state not in (failed, crashed)",
        "not state in (failed, crashed)",
        "name ~ res*-7",
        "name ~ net-v",
        "name = 'resnet-v4-7'",
        "name > \"resnet-v3\"",
        "tags has 'good one'",
        "notes has warm-up",
        "config has optimizer",
        "config.lr = 1e-3 and config.lr <= 0.001",
        "config.amp = true",
        "config.amp != false",
        "config.resume = null",
        "config.optimizer.name = adamw",
        "config.optimizer.betas.1 = .999",
        "config.optimizer.betas has 0.9",
        "config.data.path = crops",
        "config.model = 50",
        "config.epochs = 16777216",
        "config.seed = \"18446744073709551615\" and config.seed ~ 184467440737095516*",
        "duration > 12m and duration < 12m40s and duration < 1h and duration > 754",
        "created > 2026-10-31",
        "created < 2026-11-03",
        "created >= 2026-11-01T10:30:00Z and created = 2026-11-01T11:30:00+01:00",
        "train/peak > 1e300",
        "a = 1 or state = finished",
        "(a = 1 or state = finished) and not (b = 2)",
        "\"in\" = 1",
    ] {
        assert!(passes(filter), "{filter}");
    }
}

#[test]
fn what_does_not_pass() {
    for filter in [
        // A missing field passes no test at all.
        "missing = 1",
        "missing != 1",
        "missing in (1)",
        "config.optimizer.betas.2 > 0",
        // Nor does NaN.
        "train/loss = NaN",
        "train/loss != NaN",
        "train/loss != 3",
        "train/loss < 1",
        "train/loss >= 1",
        // Values of another kind are different, and in no order.
        "config.amp = 1",
        "config.optimizer = adamw",
        "config.amp > 0",
        "name > 3",
        // The decimal of an f32 is its own, not its neighbours'.
        "config.lr = 0.0010000001",
        "config.lr < 0.001",
        "config.epochs = 16777217",
        // `and` binds before `or`, `not` before both.
        "a = 1 or state = finished and b = 1",
        "not state = finished or b = 1",
        "name ~ net*",
        "tags has v",
    ] {
        assert!(!passes(filter), "{filter}");
    }
}

#[test]
fn a_day_is_all_of_it() {
    let zone = jiff::tz::TimeZone::system();
    let day: jiff::civil::Date = "2026-11-01".parse().unwrap();
    let at = |hour| day.at(hour, 0, 0, 0).to_zoned(zone.clone()).unwrap();
    for hour in [0, 23] {
        let mut run = run();
        run.created = Some(Timestamp(at(hour).timestamp().as_microsecond()));
        let matches = |filter: &str| Filter::parse(filter).unwrap().matches(&run);
        assert!(matches("created = 2026-11-01") && matches("created >= 2026-11-01"));
        assert!(matches("created <= 2026-11-01") && matches("created > 2026-10-31"));
        assert!(!matches("created > 2026-11-01") && !matches("created < 2026-11-01"));
    }
}

#[test]
fn errors_say_where_and_what_to_do() {
    let errors: Vec<String> = [
        "",
        "val/auc",
        "val/auc >",
        "val/auc > and",
        "val/auc > high",
        "0.94 < val/auc",
        "a = 1 b = 2",
        "(a = 1",
        "a = 1)",
        "a = 1 && b = 2",
        "!a",
        "a = \"x",
        "tags has",
        "a in 1",
        "a in (1 2)",
        "a in ()",
        "state = finnished",
        "duration > long",
        "created > yesterday",
        "größe = 1 und",
        "and = 1",
        "a\u{85}",
    ]
    .iter()
    .map(|text| Filter::parse(text).unwrap_err().to_string())
    .collect();
    insta::assert_snapshot!(errors.join("\n"));
    let deep = format!("{}a = 1{}", "(".repeat(100_000), ")".repeat(100_000));
    let error = Filter::parse(&deep).unwrap_err();
    assert_eq!(error.column(), 65);
    assert!(Filter::parse(&"not ".repeat(100_000)).is_err());
}

/// Text that is often nearly a filter.
fn nearly_a_filter() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("and".to_owned()),
        Just("or".to_owned()),
        Just("not".to_owned()),
        Just("in".to_owned()),
        Just("has".to_owned()),
        Just("val/auc".to_owned()),
        Just("state".to_owned()),
        Just("created".to_owned()),
        Just("1e-3".to_owned()),
        Just("5m".to_owned()),
        Just("2026-11-01".to_owned()),
        "[()=!<>~,\"'\\\\ ]{1,2}",
        "\\PC{0,3}",
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.join(" "))
}

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        "[a-z0-9_./:+-]{1,8}"
            .prop_filter("not a word of the language", |w| !lexer::is_keyword(w))
            .prop_map(Literal::Word),
        any::<f64>().prop_map(|n| Literal::Word(n.to_string())),
        any::<String>().prop_map(Literal::Quoted),
    ]
}

fn test() -> impl Strategy<Value = Expr> {
    let field = prop_oneof!["[a-z][a-z0-9_./]{0,8}", any::<String>()];
    let operator = prop_oneof![
        Just(Operator::Eq),
        Just(Operator::Ne),
        Just(Operator::Lt),
        Just(Operator::Le),
        Just(Operator::Gt),
        Just(Operator::Ge),
        Just(Operator::Like),
        Just(Operator::Has),
    ];
    let compare = (field.clone(), operator, literal()).prop_map(|(field, operator, value)| {
        Expr::Test(Test::Compare {
            field,
            operator,
            value,
        })
    });
    let list = (field, prop::collection::vec(literal(), 1..4))
        .prop_map(|(field, values)| Expr::Test(Test::In { field, values }));
    prop_oneof![compare, list]
}

fn expr() -> impl Strategy<Value = Expr> {
    test().prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expr::Or),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expr::And),
            inner.prop_map(|e| Expr::Not(Box::new(e))),
        ]
    })
}

proptest! {
    #[test]
    fn parsing_and_asking_never_panic(text in nearly_a_filter()) {
        match Filter::parse(&text) {
            Ok(filter) => {
                let _ = filter.matches(&run());
                prop_assert_eq!(Filter::parse(&filter.to_string()), Ok(filter));
            }
            Err(error) => prop_assert!(error.column() <= text.chars().count() + 1),
        }
    }

    #[test]
    fn a_printed_filter_reads_back_as_itself(expr in expr()) {
        let filter = Filter(expr);
        // Values that could never match are refused; everything else reads back.
        match Filter::parse(&filter.to_string()) {
            Ok(read) => prop_assert_eq!(read, filter),
            Err(error) => {
                let message = error.to_string();
                prop_assert!(
                    message.contains("to compare as text") || message.contains("nested deeper"),
                    "{}", message
                );
            }
        }
    }
}
