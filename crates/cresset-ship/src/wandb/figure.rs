//! Figures as W&B's custom charts: a table, and a panel that says how to draw it.
//!
//! The names of charts and of their fields are those of `wandb/plot` of wandb/wandb; its server owns the charts themselves.

use cresset_record::{Curve, Figure, Table};
use serde_json::{Map, Value as Json, json};

/// The table behind a figure, and the panel where W&B has a chart of that kind.
pub(crate) fn as_table(
    figure: &Figure,
    table_key: &str,
    caption: Option<&str>,
) -> (Table, Option<Json>) {
    let caption = caption.unwrap_or_default();
    match figure {
        Figure::ConfusionMatrix { classes, counts } => {
            let rows = counts.iter().zip(classes).flat_map(|(row, actual)| {
                let cells = row.iter().zip(classes);
                cells.map(move |(count, predicted)| {
                    vec![json!(actual), json!(predicted), json!(count)]
                })
            });
            let columns = ["Actual", "Predicted", "nPredictions"];
            let fields = columns.map(|c| (c, c));
            let chart = "wandb/confusion_matrix/v1";
            let panel = panel(
                table_key,
                chart,
                &fields,
                &[("title", name(caption, "Confusion matrix"))],
            );
            (table(&columns, rows.collect()), Some(panel))
        }
        Figure::Roc { curves } => area(
            table_key,
            curves,
            name(caption, "ROC"),
            ["fpr", "tpr"],
            AXES_OF_ROC,
        ),
        Figure::PrecisionRecall { curves } => {
            let title = name(caption, "Precision and recall");
            area(
                table_key,
                curves,
                title,
                ["recall", "precision"],
                AXES_OF_RECALL,
            )
        }
        Figure::Line { axes, lines } => {
            let columns = ["step", "lineKey", "lineVal"];
            let rows = points(lines).map(|(name, x, y)| vec![x, name, y]);
            let strings = [
                ("title", name(&axes.title, caption)),
                ("xname", axes.x_label.as_str()),
            ];
            let panel = panel(
                table_key,
                "wandb/lineseries/v0",
                &columns.map(|c| (c, c)),
                &strings,
            );
            (table(&columns, rows.collect()), Some(panel))
        }
        Figure::Scatter { axes, groups } => {
            let (x, y) = (name(&axes.x_label, "x"), name(&axes.y_label, "y"));
            let rows = points(groups).map(|(name, x, y)| vec![x, y, name]);
            let strings = [("title", name(&axes.title, caption))];
            let panel = panel(
                table_key,
                "wandb/scatter/v0",
                &[("x", x), ("y", y)],
                &strings,
            );
            (table(&[x, y, "group"], rows.collect()), Some(panel))
        }
        Figure::Bar {
            axes,
            labels,
            values,
        } => {
            let (label, value) = (name(&axes.x_label, "label"), name(&axes.y_label, "value"));
            let rows = labels
                .iter()
                .zip(values)
                .map(|(l, v)| vec![json!(l), json!(v)]);
            let strings = [("title", name(&axes.title, caption))];
            let panel = panel(
                table_key,
                "wandb/bar/v0",
                &[("label", label), ("value", value)],
                &strings,
            );
            (table(&[label, value], rows.collect()), Some(panel))
        }
        // W&B has no chart of this kind of its own: the table alone.
        Figure::HeatMap {
            axes,
            x_labels,
            y_labels,
            values,
        } => {
            let rows = values.iter().zip(y_labels).flat_map(|(row, y)| {
                let cells = row.0.iter().zip(x_labels);
                cells.map(move |(value, x)| vec![json!(x), json!(y), json!(value)])
            });
            let (x, y) = (name(&axes.x_label, "x"), name(&axes.y_label, "y"));
            (table(&[x, y, "value"], rows.collect()), None)
        }
    }
}

const AXES_OF_ROC: [&str; 2] = ["False positive rate", "True positive rate"];
const AXES_OF_RECALL: [&str; 2] = ["Recall", "Precision"];

fn area(
    table_key: &str,
    curves: &[Curve],
    title: &str,
    [x, y]: [&str; 2],
    [x_title, y_title]: [&str; 2],
) -> (Table, Option<Json>) {
    let rows = points(curves).map(|(name, x, y)| vec![name, x, y]);
    let fields = [("x", x), ("y", y), ("class", "class")];
    let strings = [
        ("title", title),
        ("x-axis-title", x_title),
        ("y-axis-title", y_title),
    ];
    let panel = panel(table_key, "wandb/area-under-curve/v0", &fields, &strings);
    (table(&["class", x, y], rows.collect()), Some(panel))
}

fn points(curves: &[Curve]) -> impl Iterator<Item = (Json, Json, Json)> {
    curves.iter().flat_map(|curve| {
        let points = curve.x.iter().zip(&curve.y);
        points.map(|(x, y)| (json!(curve.name), json!(x), json!(y)))
    })
}

fn table(columns: &[&str], rows: Vec<Vec<Json>>) -> Table {
    let columns = columns.iter().map(|c| (*c).to_owned()).collect();
    Table { columns, rows }
}

/// What W&B's client writes of a custom chart.
fn panel(table_key: &str, chart: &str, fields: &[(&str, &str)], strings: &[(&str, &str)]) -> Json {
    let object = |pairs: &[(&str, &str)]| {
        let pairs = pairs.iter().map(|(k, v)| ((*k).to_owned(), Json::from(*v)));
        Json::Object(pairs.collect::<Map<_, _>>())
    };
    let query = json!({
        "queryFields": [{
            "name": "runSets",
            "args": [{"name": "runSets", "value": "${runSets}"}],
            "fields": [
                {"name": "id", "fields": []},
                {"name": "name", "fields": []},
                {"name": "_defaultColorIndex", "fields": []},
                {"name": "summaryTable", "args": [{"name": "tableKey", "value": table_key}], "fields": []},
            ],
        }],
    });
    json!({
        "panel_type": "Vega2",
        "panel_config": {
            "panelDefId": chart,
            "fieldSettings": object(fields),
            "stringSettings": object(strings),
            "transform": {"name": "tableWithLeafColNames"},
            "userQuery": query,
        },
    })
}

fn name<'a>(first: &'a str, otherwise: &'a str) -> &'a str {
    if first.is_empty() { otherwise } else { first }
}
