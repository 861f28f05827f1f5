//! Figures as W&B's custom charts: a table, and a panel that says how to draw it.
//!
//! The names of charts and of their fields are those of `wandb/plot` of wandb/wandb; its server owns the charts themselves.

use cresset_record::{Curve, Figure, Table};
use serde_json::{Map, Value as Json, json};

/// One of W&B's charts, with the columns and texts that it is drawn with.
struct Chart<'a> {
    name: &'static str,
    fields: Vec<(&'a str, &'a str)>,
    strings: Vec<(&'a str, &'a str)>,
}

/// The table behind a figure, and the panel where W&B has a chart of that kind.
pub(crate) fn as_table(
    figure: &Figure,
    table_key: &str,
    caption: Option<&str>,
) -> (Table, Option<Json>) {
    let (table, chart) = drawn(figure, caption.unwrap_or_default());
    (table, chart.map(|chart| panel(table_key, &chart)))
}

fn drawn<'a>(figure: &'a Figure, caption: &'a str) -> (Table, Option<Chart<'a>>) {
    match figure {
        Figure::ConfusionMatrix { classes, counts } => {
            let rows = counts.iter().zip(classes).flat_map(|(row, actual)| {
                let cells = row.iter().zip(classes);
                cells.map(move |(count, predicted)| {
                    vec![json!(actual), json!(predicted), json!(count)]
                })
            });
            let columns = ["Actual", "Predicted", "nPredictions"];
            let chart = Chart {
                name: "wandb/confusion_matrix/v1",
                fields: columns.map(|c| (c, c)).to_vec(),
                strings: vec![("title", name(caption, "Confusion matrix"))],
            };
            (table(&columns, rows.collect()), Some(chart))
        }
        Figure::Roc { curves } => {
            let titles = ["False positive rate", "True positive rate"];
            area(curves, name(caption, "ROC"), ["fpr", "tpr"], titles)
        }
        Figure::PrecisionRecall { curves } => {
            let (title, titles) = ("Precision and recall", ["Recall", "Precision"]);
            area(
                curves,
                name(caption, title),
                ["recall", "precision"],
                titles,
            )
        }
        Figure::Line { axes, lines } => {
            let columns = ["step", "lineKey", "lineVal"];
            let rows = points(lines).map(|(name, x, y)| vec![x, name, y]);
            let title = ("title", name(&axes.title, caption));
            let chart = Chart {
                name: "wandb/lineseries/v0",
                fields: columns.map(|c| (c, c)).to_vec(),
                strings: vec![title, ("xname", axes.x_label.as_str())],
            };
            (table(&columns, rows.collect()), Some(chart))
        }
        Figure::Scatter { axes, groups } => {
            let (x, y) = (name(&axes.x_label, "x"), name(&axes.y_label, "y"));
            let rows = points(groups).map(|(name, x, y)| vec![x, y, name]);
            let chart = Chart {
                name: "wandb/scatter/v0",
                fields: vec![("x", x), ("y", y)],
                strings: vec![("title", name(&axes.title, caption))],
            };
            (table(&[x, y, "group"], rows.collect()), Some(chart))
        }
        Figure::Bar {
            axes,
            labels,
            values,
        } => {
            let (label, value) = (name(&axes.x_label, "label"), name(&axes.y_label, "value"));
            let rows = labels.iter().zip(values);
            let rows = rows.map(|(label, value)| vec![json!(label), json!(value)]);
            let chart = Chart {
                name: "wandb/bar/v0",
                fields: vec![("label", label), ("value", value)],
                strings: vec![("title", name(&axes.title, caption))],
            };
            (table(&[label, value], rows.collect()), Some(chart))
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

fn area<'a>(
    curves: &[Curve],
    title: &'a str,
    [x, y]: [&'a str; 2],
    [x_title, y_title]: [&'a str; 2],
) -> (Table, Option<Chart<'a>>) {
    let rows = points(curves).map(|(name, x, y)| vec![name, x, y]);
    let chart = Chart {
        name: "wandb/area-under-curve/v0",
        fields: vec![("x", x), ("y", y), ("class", "class")],
        strings: vec![
            ("title", title),
            ("x-axis-title", x_title),
            ("y-axis-title", y_title),
        ],
    };
    (table(&["class", x, y], rows.collect()), Some(chart))
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
fn panel(table_key: &str, chart: &Chart<'_>) -> Json {
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
            "panelDefId": chart.name,
            "fieldSettings": object(&chart.fields),
            "stringSettings": object(&chart.strings),
            "transform": {"name": "tableWithLeafColNames"},
            "userQuery": query,
        },
    })
}

fn name<'a>(first: &'a str, otherwise: &'a str) -> &'a str {
    if first.is_empty() { otherwise } else { first }
}
