//! W&B's GraphQL, as far as a run needs it, and uploads.
//!
//! The operations are those that W&B's own client sends (`core/api/graphql` of wandb/wandb), so that any server that serves it serves us.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json, json};
use ureq::http::Method;

use crate::error::ShipError;
use crate::http::Http;

use super::files::{Content, NewFile};
use super::head::Head;

const UPSERT_BUCKET: &str = "\
mutation UpsertBucket($name: String, $project: String, $entity: String, $groupName: String, $displayName: String, $notes: String,
    $commit: String, $config: JSONString, $host: String, $program: String, $repo: String, $jobType: String, $tags: [String!]) {
    upsertBucket(input: {name: $name, modelName: $project, entityName: $entity, groupName: $groupName, displayName: $displayName,
        notes: $notes, commit: $commit, config: $config, host: $host, jobProgram: $program, jobRepo: $repo, jobType: $jobType, tags: $tags}) {
        bucket { id name project { name entity { name } } }
        inserted
    }
}";

const CREATE_RUN_FILES: &str = "\
mutation CreateRunFiles($entity: String!, $project: String!, $run: String!, $files: [String!]!) {
    createRunFiles(input: {entityName: $entity, projectName: $project, runName: $run, files: $files}) {
        runID
        uploadHeaders
        files { name uploadUrl }
    }
}";

const NOTIFY: &str = "\
mutation NotifyScriptableRunAlert($entityName: String!, $projectName: String!, $runName: String!, $title: String!, $text: String!,
    $severity: AlertSeverity = INFO, $waitDuration: Duration) {
    notifyScriptableRunAlert(input: {entityName: $entityName, projectName: $projectName, runName: $runName, title: $title, text: $text,
        severity: $severity, waitDuration: $waitDuration}) {
        success
    }
}";

/// A W&B server and how to speak to it.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    http: Http,
}

/// What the server calls a run.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Place {
    pub(crate) entity: String,
    pub(crate) project: String,
    pub(crate) run: String,
}

impl Api {
    /// # Errors
    /// If that is no address.
    pub(crate) fn new(base: &str, key: &str) -> Result<Self, ShipError> {
        let credentials = STANDARD.encode(format!("api:{key}"));
        let headers = vec![("authorization", format!("Basic {credentials}"))];
        let http = Http::new(base, headers)?;
        Ok(Self { http })
    }

    /// Makes the run, or changes what is said of it.
    pub(crate) fn upsert(&self, head: &Head, config: &Json) -> Result<Place, ShipError> {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let answer = self.ask(
            UPSERT_BUCKET,
            "UpsertBucket",
            &json!({
                "name": head.id,
                "project": head.project,
                "entity": text(&head.entity),
                "groupName": text(&head.group),
                "displayName": text(&head.name),
                "notes": text(&head.notes),
                "commit": text(&head.commit),
                "config": config.to_string(),
                "host": text(&head.host),
                "program": text(&head.program),
                "repo": text(&head.remote),
                "jobType": text(&head.job_type),
                "tags": head.tags,
            }),
        )?;
        let bucket = &answer["upsertBucket"]["bucket"];
        let found = |value: &Json, otherwise: &str| value.as_str().unwrap_or(otherwise).to_owned();
        let place = Place {
            entity: found(&bucket["project"]["entity"]["name"], &head.entity),
            project: found(&bucket["project"]["name"], &head.project),
            run: found(&bucket["name"], &head.id),
        };
        if place.entity.is_empty() {
            let message = format!("{} does not say whose the run is", self.http.base());
            return Err(ShipError::Refused(message));
        }
        Ok(place)
    }

    pub(crate) fn alert(
        &self,
        place: &Place,
        title: &str,
        text: &str,
        severity: &str,
        pause_ms: i64,
    ) -> Result<(), ShipError> {
        let variables = json!({
            "entityName": place.entity, "projectName": place.project, "runName": place.run,
            "title": title, "text": text, "severity": severity, "waitDuration": pause_ms,
        });
        self.ask(NOTIFY, "NotifyScriptableRunAlert", &variables)
            .map(drop)
    }

    /// Brings files to where the server wants them.
    pub(crate) fn upload(&self, place: &Place, files: &[NewFile]) -> Result<(), ShipError> {
        if files.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        let answer = self.ask(
            CREATE_RUN_FILES,
            "CreateRunFiles",
            &json!({"entity": place.entity, "project": place.project, "run": place.run, "files": names}),
        )?;
        let created = &answer["createRunFiles"];
        let headers = created["uploadHeaders"].as_array().into_iter().flatten();
        let headers = headers.filter_map(|header| header.as_str()?.split_once(':'));
        let headers: Vec<(&str, &str)> = headers.collect();
        let urls = created["files"].as_array().into_iter().flatten();
        let urls: Map<String, Json> = urls
            .filter_map(|file| Some((file["name"].as_str()?.to_owned(), file["uploadUrl"].clone())))
            .collect();
        for file in files {
            let Some(url) = urls.get(&file.path).and_then(Json::as_str) else {
                let message = format!("{} takes no file {}", self.http.base(), file.path);
                return Err(ShipError::Refused(message));
            };
            self.put(url, &headers, file)?;
        }
        Ok(())
    }

    fn put(&self, url: &str, headers: &[(&str, &str)], file: &NewFile) -> Result<(), ShipError> {
        // A store elsewhere must not get the key; its address is good for one upload, and holds a secret of its own.
        let (http, path) = match url.starts_with('/') {
            true => (self.http.clone(), url),
            false => (Http::new(url, Vec::new())?, ""),
        };
        let sent = match &file.content {
            Content::Bytes(bytes) => http.send(Method::PUT, path, headers, bytes.as_slice()),
            Content::Blob(blob) => {
                let opened = std::fs::File::open(blob).map_err(ShipError::disk(blob))?;
                let length = opened.metadata().map_err(ShipError::disk(blob))?.len();
                let length = length.to_string();
                // Stores take no body whose length they do not know.
                let length = ("content-length", length.as_str());
                let headers: Vec<_> = headers.iter().copied().chain([length]).collect();
                http.send(Method::PUT, path, &headers, opened)
            }
        };
        sent.map(drop).map_err(|error| without_secret(error, url))
    }

    /// Sends lines; what the server says to it.
    pub(crate) fn stream(&self, place: &Place, body: &Json) -> Result<Json, ShipError> {
        let Place {
            entity,
            project,
            run,
        } = place;
        let path = format!(
            "/files/{}/{}/{run}/file_stream",
            escaped(entity),
            escaped(project)
        );
        self.http.json(Method::POST, &path, body)
    }

    fn ask(&self, query: &str, operation: &str, variables: &Json) -> Result<Json, ShipError> {
        let body = json!({"query": query, "operationName": operation, "variables": variables});
        let mut answer = self.http.json(Method::POST, "/graphql", &body)?;
        let errors = answer["errors"].as_array().into_iter().flatten();
        let messages: Vec<&str> = errors.filter_map(|e| e["message"].as_str()).collect();
        if !messages.is_empty() {
            let base = self.http.base();
            let message = format!("{base} refuses {operation}: {}", messages.join("; "));
            return Err(ShipError::Refused(message));
        }
        Ok(answer.get_mut("data").map(Json::take).unwrap_or_default())
    }
}

fn without_secret(error: ShipError, url: &str) -> ShipError {
    let shown = url.split('?').next().unwrap_or_default();
    match error {
        ShipError::Unreachable {
            message,
            retry_after,
        } => ShipError::Unreachable {
            message: message.replace(url, shown),
            retry_after,
        },
        ShipError::Refused(message) => ShipError::Refused(message.replace(url, shown)),
        other => other,
    }
}

/// A name as one part of a path.
fn escaped(name: &str) -> String {
    let bytes = name.bytes().map(|byte| match byte {
        b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    bytes.collect()
}
