use super::rows::Row;
use super::users::User;

fn text(row: &Row) -> String {
    let cells = row.cells();
    let cells: Vec<&str> = cells.iter().map(|c| c.content.as_ref()).collect();
    cells.join(" | ")
}

#[test]
fn a_row_says_what_is_known() {
    let mut row = Row {
        gpu: "1".into(),
        model: "NVIDIA H100".into(),
        uuid: String::new(),
        bus: String::new(),
        lost: false,
        utilization: Some(97.0),
        memory_used: Some((40u64 << 30) as f64),
        memory_total: Some((80u64 << 30) as f64),
        temperature: Some(61.0),
        power: Some(412.3),
        power_limit: Some(700.0),
        clock_sm: Some(1755.0),
        throttle: vec!["thermal", "slowdown"],
        processes: vec![
            User {
                pid: 7,
                memory: Some(1 << 30),
                program: Some("train".into()),
                run: Some("0f3k".into()),
                name: Some("amber-harbor-1".into()),
            },
            User {
                pid: 8,
                memory: None,
                program: Some("python\u{1b}[2J".into()),
                run: None,
                name: None,
            },
        ],
    };
    let shown = text(&row);
    assert!(
        shown.starts_with(
            "1 | NVIDIA H100 | 97 % | 40.0 / 80.0 GiB | 61 °C | 412 / 700 W | 1755 MHz | thermal slowdown | amber-harbor-1 ("
        ),
        "{shown}"
    );
    // What a program calls itself cannot reach the terminal.
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
    row.lost = true;
    row.utilization = None;
    row.memory_used = None;
    row.power_limit = None;
    row.processes.clear();
    assert_eq!(
        text(&row),
        "1 | NVIDIA H100 | – | – | 61 °C | 412 W | 1755 MHz | does not answer | "
    );
}
