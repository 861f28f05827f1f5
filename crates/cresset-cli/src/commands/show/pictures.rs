//! The middle of the page: charts, heat maps of histograms, and what media there are.

use std::collections::BTreeMap;
use std::io;

use cresset_record::{Content, Logged, Media, MediaDetail, Rank, TensorStats};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::{Page, section};
use crate::chart::Chart;
use crate::heat::HeatMap;
use crate::output::Output;
use crate::{human, select, theme};

/// A picture is at least this wide before another stands beside it.
const NARROWEST: u16 = 44;
const CHART_HEIGHT: u16 = 10;
/// With title and steps; odd, so that zero can have a row.
const HEAT_HEIGHT: u16 = 13;
/// Pictures of each kind on a page that nobody chose.
const MOST_CHARTS: usize = 8;
const MOST_HEAT_MAPS: usize = 4;

/// Prints all pictures; `false` if there were none.
pub(super) fn print(page: &Page, out: &mut Output) -> io::Result<bool> {
    let charts = print_charts(page, out)?;
    let maps = print_heat_maps(page, out)?;
    let media = print_media(page, out)?;
    Ok(charts || maps || media)
}

fn print_charts(page: &Page, out: &mut Output) -> io::Result<bool> {
    let all = select::scalars(page.view, page.keys);
    if all.is_empty() {
        return Ok(false);
    }
    let shown = match page.keys {
        [] => &all[..all.len().min(MOST_CHARTS)],
        _ => &all[..],
    };
    section(
        out,
        "Charts",
        &more(all.len() - shown.len(), "--key 'val/*'"),
    )?;
    let charts: Vec<Chart> = shown
        .iter()
        .map(|series| Chart::new(page.view, series).log(page.log))
        .collect();
    print_grid(page.width, CHART_HEIGHT, &charts, out)?;
    Ok(true)
}

fn more(left_out: usize, choose: &str) -> String {
    match left_out {
        0 => String::new(),
        n => format!("{n} more: choose with {choose}"),
    }
}

fn print_heat_maps(page: &Page, out: &mut Output) -> io::Result<bool> {
    let mut merged: BTreeMap<&str, Vec<&[Logged<TensorStats>]>> = BTreeMap::new();
    for (key, _, history) in page.view.histograms() {
        let key = key.as_str();
        if page.keys.is_empty() || select::is_chosen(page.keys, key) {
            merged.entry(key).or_default().push(history);
        }
    }
    if merged.is_empty() {
        return Ok(false);
    }
    let most = match page.keys {
        [] => MOST_HEAT_MAPS,
        _ => usize::MAX,
    };
    let note = more(merged.len().saturating_sub(most), "--key 'gradients/*'");
    section(out, "Histograms over time", &note)?;
    let histories: Vec<(&str, Vec<Logged<TensorStats>>)> = merged
        .into_iter()
        .take(most)
        .map(|(key, ranks)| (key, ranks.concat()))
        .collect();
    let maps: Vec<HeatMap> = histories
        .iter()
        .map(|(title, history)| HeatMap { title, history })
        .collect();
    print_grid(page.width, HEAT_HEIGHT, &maps, out)?;
    Ok(true)
}

/// Prints pictures side by side as far as there is room, row by row.
fn print_grid<P>(width: u16, height: u16, pictures: &[P], out: &mut Output) -> io::Result<()>
where
    for<'p> &'p P: Widget,
{
    const GAP: u16 = 3;
    let columns = (width / NARROWEST).clamp(1, 3);
    let each = (width - GAP * (columns - 1)) / columns;
    for (i, row) in pictures.chunks(usize::from(columns)).enumerate() {
        if i > 0 {
            out.blank()?;
        }
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        for (i, picture) in row.iter().enumerate() {
            let x = i as u16 * (each + GAP);
            picture.render(Rect::new(x, 0, each, height), &mut buffer);
        }
        out.buffer(&buffer)?;
    }
    Ok(())
}

fn print_media(page: &Page, out: &mut Output) -> io::Result<bool> {
    let chosen = |key: &str| page.keys.is_empty() || select::is_chosen(page.keys, key);
    let listed: Vec<_> = page
        .view
        .media()
        .filter(|(key, _, _)| chosen(key.as_str()))
        .collect();
    if listed.is_empty() {
        return Ok(false);
    }
    section(out, "Media", "")?;
    let widest = listed
        .iter()
        .map(|(key, _, _)| human::width(key.as_str()))
        .max()
        .unwrap_or(0);
    for (key, rank, values) in listed {
        let key = human::clean(key.as_str());
        let blanks = " ".repeat(widest.saturating_sub(human::width(&key)));
        out.line(Line::from(vec![
            Span::raw(format!("  {key}{blanks}  ")),
            Span::raw(media_count(values, rank)),
            Span::styled(media_detail(values), theme::QUIET),
        ]))?;
    }
    Ok(true)
}

/// How many of what: `12 images`.
fn media_count(values: &[Logged<Media>], rank: Rank) -> String {
    let noun = match values.last().map(|v| &v.value.detail) {
        None => "value",
        Some(MediaDetail::Text) => "text",
        Some(MediaDetail::Html) => "page",
        Some(MediaDetail::Image(_)) => "image",
        Some(MediaDetail::Audio { .. }) => "sound",
        Some(MediaDetail::Video) => "video",
        Some(MediaDetail::PointCloud { .. }) => "point cloud",
        Some(MediaDetail::Table { .. }) => "table",
        Some(MediaDetail::Figure { .. }) => "figure",
        Some(MediaDetail::File { .. }) => "file",
    };
    let of_rank = match rank {
        Rank(0) => String::new(),
        rank => format!(" of {rank}"),
    };
    human::count(values.len() as u64, noun) + &of_rank
}

/// Steps, size, and the last caption.
fn media_detail(values: &[Logged<Media>]) -> String {
    let steps = values.iter().map(|v| v.step);
    let mut detail = match (steps.clone().min(), steps.max()) {
        (Some(a), Some(b)) if a == b => format!(", step {a}"),
        (Some(a), Some(b)) => format!(", steps {a} to {b}"),
        _ => String::new(),
    };
    let bytes: u64 = values.iter().map(|v| size(&v.value)).sum();
    detail += &format!(", {}", human::bytes(bytes));
    if let Some(caption) = values.last().and_then(|v| caption(&v.value)) {
        detail += &format!(", last: {}", human::fit(&human::clean(&caption), 60));
    }
    detail
}

fn size(media: &Media) -> u64 {
    match &media.content {
        Content::Inline(text) => text.len() as u64,
        Content::Blob(blob) => blob.bytes,
    }
}

fn caption(media: &Media) -> Option<String> {
    media.caption.clone().or_else(|| match &media.detail {
        MediaDetail::File { name, .. } => Some(name.clone()),
        MediaDetail::Figure { figure } => Some(figure.replace('_', " ")),
        _ => None,
    })
}
