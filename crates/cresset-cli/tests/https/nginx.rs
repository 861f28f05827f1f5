//! Behind nginx, as `docs/server.md` says to set it up: with the path passed on and without, over HTTPS.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use ureq::http::{Response, StatusCode};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Body};

use crate::authority::Authority;
use crate::serving::{Serving, said};
use crate::{has_arrived, recorded, sends};

/// A proxy, until this is dropped.
struct Nginx {
    process: Child,
    /// Where the path is passed on, and where it is taken away.
    ports: [u16; 2],
    dir: TempDir,
}

impl Nginx {
    fn start(authority: &Authority, server: &Serving) -> Self {
        let program = std::env::var("CRESSET_NGINX").unwrap_or_else(|_| "nginx".to_owned());
        let dir = tempfile::tempdir().unwrap();
        let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let ports = listeners
            .each_ref()
            .map(|listener| listener.local_addr().unwrap().port());
        drop(listeners);
        let place = dir.path().display();
        let (certificate, key) = (authority.certificate(), authority.key());
        let servers = ["", "/"].iter().zip(ports).map(|(path, port)| {
            format!(
                "server {{
                    listen 127.0.0.1:{port} ssl;
                    ssl_certificate {};
                    ssl_certificate_key {};
                    location /cresset/ {{
                        proxy_pass http://127.0.0.1:{}{path};
                        proxy_http_version 1.1;
                        proxy_set_header Host $http_host;
                        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
                        proxy_set_header X-Forwarded-Proto $scheme;
                        proxy_request_buffering off;
                        client_max_body_size 0;
                        proxy_read_timeout 1h;
                    }}
                }}\n",
                certificate.display(),
                key.display(),
                server.port()
            )
        });
        let servers: String = servers.collect();
        // It keeps all that it writes in a folder of the test.
        let own = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {place}/{name};\n"))
            .concat();
        let user = if fs::metadata("/root/.").is_ok() {
            "user root;\n"
        } else {
            ""
        };
        let config = format!(
            "{user}daemon off;\npid {place}/pid;\nerror_log {place}/log info;\nevents {{}}\nhttp {{\naccess_log off;\n{own}{servers}}}\n"
        );
        let file = dir.path().join("nginx.conf");
        fs::write(&file, config).unwrap();
        let mut command = Command::new(&program);
        command.arg("-c").arg(&file).arg("-p").arg(dir.path());
        command.stdin(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().unwrap_or_else(|error| {
            panic!("{program} cannot be started ({error}): apt-get install nginx, or set CRESSET_NGINX to the program")
        });
        let nginx = Self {
            process,
            ports,
            dir,
        };
        let begin = Instant::now();
        while ports
            .iter()
            .any(|port| TcpStream::connect(("127.0.0.1", *port)).is_err())
        {
            assert!(begin.elapsed() < Duration::from_secs(60), "{}", nginx.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        nginx
    }

    fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // In order, so that its workers end too.
        let pid = self.process.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let _ = self.process.wait();
    }
}

/// Somebody who trusts the authority and follows no redirects.
fn client(authority: &Authority) -> Agent {
    let pem = fs::read(authority.ca()).unwrap();
    let ca = Certificate::from_pem(&pem).unwrap();
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&[ca]))
        .build();
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .tls_config(tls);
    config
        .timeout_recv_response(Some(Duration::from_secs(60)))
        .build()
        .into()
}

fn header<'a>(answer: &'a Response<Body>, name: &str) -> &'a str {
    let value = answer.headers().get(name);
    value.map_or("", |value| value.to_str().unwrap())
}

#[test]
#[ignore = "needs nginx; `cargo xtask test` runs it"]
fn everything_works_through_a_proxy() {
    let authority = Authority::new();
    let server = Serving::start(&["--base-path", "/cresset", "--trust-proxy", "127.0.0.1"]);
    let nginx = Nginx::start(&authority, &server);
    let client = client(&authority);
    let here = recorded();
    for port in nginx.ports {
        let base = format!("https://localhost:{port}/cresset");
        let get = |path: &str| {
            let request = client.get(format!("{base}{path}"));
            request
                .header("authorization", format!("Bearer {}", server.key))
                .call()
                .unwrap()
        };
        // A deep link, and the files that its page names.
        let page = get("/p/solder/runs/first")
            .body_mut()
            .read_to_string()
            .unwrap();
        let script = page
            .split("src=\"/cresset")
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        let script = get(script.unwrap_or_else(|| panic!("no script in {page}")));
        assert_eq!(script.status(), StatusCode::OK);
        assert!(header(&script, "content-type").starts_with("text/javascript"));
        // Somebody who logs in, and others who guess and say to be elsewhere.
        let login = |key: &str, from: &str| {
            let request = client.post(format!("{base}/api/v1/login"));
            let request = request
                .header("x-cresset", "1")
                .header("content-type", "application/json");
            let request = request.header("x-forwarded-for", from);
            let origin = format!("https://localhost:{port}");
            request
                .header("origin", origin)
                .send(format!("{{\"key\":\"{key}\"}}"))
                .unwrap()
        };
        let answer = login(&server.key, "6.6.6.6");
        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
        let cookie = header(&answer, "set-cookie");
        assert!(
            cookie.contains("Path=/cresset;") && cookie.ends_with("; Secure"),
            "{cookie}"
        );
        let guesses = (0..12).map(|i| login("guess", &format!("6.6.6.{i}")).status());
        assert_eq!(
            guesses.fold(None, |_, status| Some(status)),
            Some(StatusCode::TOO_MANY_REQUESTS)
        );
        // Live updates, while a run with a blob is sent through the same proxy.
        let mut events = get("/api/v1/events");
        let mut lines = BufReader::new(events.body_mut().as_reader()).lines();
        let mut next = |what: &str| loop {
            let line = lines.next().expect("more events").unwrap();
            if line.contains(what) {
                break line;
            }
        };
        next("event: hello");
        let id = format!("through-{port}");
        let run = cresset_run::init("solder")
            .dir(here.path().join(".cresset"))
            .id(&id)
            .start()
            .unwrap();
        run.log(1, [("loss", 0.5)]);
        assert!(run.finish().complete);
        let ca = authority.ca();
        let mut sync = sends(
            here.path(),
            &[("CRESSET_CA_FILE", &ca)],
            &["sync", "--to", &base],
        );
        let sync = sync.env("CRESSET_API_KEY", &server.key).output().unwrap();
        assert!(sync.status.success(), "{}{}", said(&sync), nginx.log());
        next(&id);
        assert!(has_arrived(here.path(), &server));
        let media = get("/api/v1/projects/solder/runs/first/media")
            .body_mut()
            .read_to_string()
            .unwrap();
        let url = media
            .split("\"url\":\"/cresset")
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        let blob = get(url.unwrap_or_else(|| panic!("no address in {media}")));
        assert_eq!(header(&blob, "content-type"), "image/png");
    }
    assert!(
        server.log().contains("client=127.0.0.1"),
        "{}",
        server.log()
    );
}
