use crate::command::Project;

#[test]
fn help_texts() {
    let project = Project::new();
    insta::assert_snapshot!("help", project.cresset(&["--help"]).printed());
    for command in [
        "runs", "show", "diff", "watch", "export", "verify", "tag", "stop", "delete", "restore",
        "trash", "index", "gpu", "sync", "login", "import",
    ] {
        let text = project.cresset(&[command, "--help"]).printed();
        insta::assert_snapshot!(format!("help_{command}"), text);
    }
}

#[test]
fn a_command_line_that_makes_no_sense_ends_with_code_2() {
    let project = Project::new();
    for arguments in [
        &[][..],
        &["rums"],
        &["runs", "--limit", "many"],
        &["runs", "--sort", "--json"],
        &["runs", "--filter", "val/auc >"],
        &["show", "--jsno"],
        &["delete"],
        &["index"],
        &["tag", "latest", "baseline"],
        &["export", "--format", "xlsx"],
        &["export", "--output", "run.xlsx"],
        &["export", "--format", "jsonl", "--long"],
        &["sync", "--to", "ftp://example.org"],
        &["login", "example.org"],
        &["import", "csv", "--project", "p"],
        &["import", "csv", "x.csv", "--project", "p", "--config", "lr"],
        &["import", "csv", "x.csv"],
        &[
            "import",
            "csv",
            "x.csv",
            "--project",
            "p",
            "--experiment",
            "e",
        ],
        &["import", "mlflow", "https://localhost", "--config", "lr"],
    ] {
        let ended = project.cresset(arguments);
        assert_eq!(ended.code, 2, "{arguments:?}: {ended:?}");
        assert!(ended.stdout.is_empty() && !ended.stderr.is_empty());
    }
}
