use cresset_record::RunView;
use ratatui::buffer::Buffer;

use super::*;
use crate::fixture::{Points, view_of};

/// The chart of a run with one series, as text.
fn chart(points: &Points, width: u16, height: u16, log: bool) -> String {
    let (_dir, view) = view_of(points);
    draw(&view, width, height, log)
}

fn draw(view: &RunView, width: u16, height: u16, log: bool) -> String {
    let selected = crate::select::scalars(view, &["*".into()]);
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    Chart::new(view, &selected[0])
        .log(log)
        .render(area, &mut buffer);
    text_of(&buffer)
}

fn text_of(buffer: &Buffer) -> String {
    let rows = buffer.content.chunks(usize::from(buffer.area.width).max(1));
    let row = |cells: &[ratatui::buffer::Cell]| -> String {
        cells.iter().map(ratatui::buffer::Cell::symbol).collect()
    };
    rows.map(|cells| row(cells).trim_end().to_owned() + "\n")
        .collect()
}

fn points(values: impl IntoIterator<Item = f64>) -> Points {
    let values = values.into_iter().enumerate();
    Points::of("val/loss", values.map(|(i, v)| (i as u64, v)))
}

#[test]
fn a_spike_of_one_step_among_a_million_is_seen() {
    let spike = |i: u32| if i == 612_345 { 1.0 } else { 0.0 };
    let text = chart(&points((0..1_000_000).map(spike)), 60, 10, false);
    insta::assert_snapshot!(text);
}

#[test]
fn what_is_not_finite_is_marked() {
    let values = (0..200).map(|i| match i {
        50..70 => f64::NAN,
        100 => f64::INFINITY,
        150 => f64::NEG_INFINITY,
        _ => (f64::from(i) / 20.0).sin(),
    });
    insta::assert_snapshot!(chart(&points(values), 60, 10, false));
}

#[test]
fn a_logarithmic_axis() {
    let values = (0..100).map(|i| 10f64.powf(-f64::from(i) / 20.0));
    let values = values.chain([0.0, -1.0]);
    insta::assert_snapshot!(chart(&points(values), 60, 8, true));
}

#[test]
fn few_points() {
    let one = chart(&points([0.5]), 40, 7, false);
    let same = chart(&points([3.0, 3.0, 3.0]), 40, 7, false);
    let two = chart(&points([-1e300, 1e300]), 40, 7, false);
    let nan = chart(&points([f64::NAN, f64::NAN]), 40, 7, false);
    insta::assert_snapshot!([one, same, two, nan].join("\n"));
}

#[test]
fn steps_in_any_order_draw_the_same_picture() {
    let ordered: Vec<(u64, f64)> = (0..97).map(|i| (i, (i as f64).sqrt())).collect();
    let mixed = (0..97).map(|i| ordered[i * 31 % 97]);
    let mixed = Points::of("val/loss", mixed);
    let ordered = Points::of("val/loss", ordered.iter().copied());
    assert_eq!(chart(&mixed, 50, 9, false), chart(&ordered, 50, 9, false));
}

#[test]
fn no_size_is_too_small_and_no_value_too_odd() {
    let values = [
        f64::MAX,
        f64::MIN,
        5e-324,
        0.0,
        f64::NAN,
        f64::INFINITY,
        -0.0,
    ];
    let (_dir, view) = view_of(&points(values));
    for width in 0..30 {
        for height in 0..9 {
            for log in [false, true] {
                draw(&view, width, height, log);
            }
        }
    }
}
