//! The issuer as it is known now: what it says of itself and its keys, kept for a while, and asked for anew by one at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cresset_record::Timestamp;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::timeout;

use super::client::{Client, Document, Exchange, Trouble};
use super::jwk::Key;
use super::settings::OidcOptions;
use super::token::{Expected, Refused, Token};
use crate::app::App;

/// What the issuer says of itself is asked for as often, which also tells whether it answers.
const FRESH: Duration = Duration::from_secs(300);
/// Keys are asked for as often: one that the issuer took back is good no longer.
const FRESH_KEYS: Duration = Duration::from_secs(3600);
/// How long after it did not answer the issuer is asked again.
const PAUSE: Duration = Duration::from_secs(5);
/// How often it is looked whether the issuer answers, and whether what it said is still good.
const LOOK: Duration = Duration::from_secs(15);
/// Keys that tokens name and nobody knows are asked for as often: anybody can name some.
const UNKNOWN: Duration = Duration::from_secs(60);
/// Questions to the issuer that wait for an answer at once.
const AT_ONCE: usize = 8;
/// How long a question waits for its turn.
const TURN: Duration = Duration::from_secs(2);

/// The issuer that people log in with.
#[derive(Debug)]
pub(crate) struct Provider {
    client: Client,
    document: Mutex<Known>,
    keys: Mutex<Keys>,
    turns: Arc<Semaphore>,
    is_down: AtomicBool,
}

#[derive(Debug, Default)]
struct Known {
    document: Option<(Arc<Document>, Instant)>,
    failed: Option<Instant>,
}

#[derive(Debug, Default)]
struct Keys {
    all: Arc<[Key]>,
    asked: Option<Instant>,
    /// When they were last asked for because of a token with a key that nobody knew.
    asked_for_unknown: Option<Instant>,
}

impl Provider {
    pub(crate) fn new(options: OidcOptions) -> Self {
        Self {
            client: Client::new(options),
            document: Mutex::default(),
            keys: Mutex::default(),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            is_down: AtomicBool::new(false),
        }
    }

    pub(crate) fn options(&self) -> &OidcOptions {
        self.client.options()
    }

    /// Whether the issuer did not answer when it was last asked what it is.
    pub(crate) fn is_down(&self) -> bool {
        self.is_down.load(Ordering::Relaxed)
    }

    /// What the issuer says of itself. If it does not answer, what it said before is good enough.
    pub(super) async fn document(&self) -> Result<Arc<Document>, Trouble> {
        let mut known = self.document.lock().await;
        let is_fresh = |(_, at): &(_, Instant)| at.elapsed() < FRESH;
        let has_fresh = known.document.as_ref().is_some_and(is_fresh);
        if !has_fresh && known.failed.is_none_or(|at| at.elapsed() >= PAUSE) {
            match self.ask(Client::discover).await {
                Ok(document) => {
                    known.document = Some((Arc::new(document), Instant::now()));
                    if self.is_down.swap(false, Ordering::Relaxed) {
                        tracing::info!("the issuer answers again");
                    }
                }
                Err(error) => {
                    known.failed = Some(Instant::now());
                    if !self.is_down.swap(true, Ordering::Relaxed) {
                        tracing::warn!(%error, "nobody can log in with the issuer now; keys still work, and it is tried again");
                    }
                }
            }
        }
        let document = known
            .document
            .as_ref()
            .map(|(document, _)| Arc::clone(document));
        document.ok_or_else(|| Trouble::Issuer("the issuer did not answer a moment ago".into()))
    }

    /// Who brings a code, by the name that they have here.
    pub(super) async fn vouch(&self, exchange: Exchange, nonce: &str) -> Result<String, Trouble> {
        let document = self.document().await?;
        let asked = Arc::clone(&document);
        let tokens = self
            .ask(move |client| client.exchange(&asked, &exchange))
            .await?;
        let token = Token::read(&tokens.id_token)?;
        let keys = self.keys(&document, token.key()).await?;
        let OidcOptions {
            client_id,
            user_claim,
            ..
        } = self.options();
        let expected = Expected {
            issuer: &document.issuer,
            client: client_id,
            nonce,
            now: Timestamp::now().0 as f64 / 1e6,
        };
        let claims = token.verify(&keys, expected)?;
        if let Some(user) = claims.user(user_claim)? {
            return Ok(user);
        }
        // Many issuers say little in the token itself.
        let asked = Arc::clone(&document);
        let further = self
            .ask(move |client| client.userinfo(&asked, &tokens))
            .await?;
        let nothing = Refused(
            "the issuer does not say the claim that has the user's name, or not that the e-mail address is verified",
        );
        let further = further.ok_or(nothing)?;
        if !further.is_about_the_same(&claims) {
            return Err(Refused("the issuer answers about somebody else").into());
        }
        Ok(further.user(user_claim)?.ok_or(nothing)?)
    }

    /// The issuer's keys, among them the one that a token names, if the issuer has it.
    async fn keys(
        &self,
        document: &Arc<Document>,
        named: Option<&str>,
    ) -> Result<Arc<[Key]>, Trouble> {
        let mut known = self.keys.lock().await;
        let long_ago =
            |at: Option<Instant>, span| at.is_none_or(|at: Instant| at.elapsed() >= span);
        let is_stale = long_ago(known.asked, FRESH_KEYS);
        let is_unknown = !known.all.iter().any(|key| key.may_be(named));
        if is_stale || is_unknown && long_ago(known.asked_for_unknown, UNKNOWN) {
            if !is_stale {
                known.asked_for_unknown = Some(Instant::now());
            }
            let asked = Arc::clone(document);
            known.all = self.ask(move |client| client.keys(&asked)).await?.into();
            known.asked = Some(Instant::now());
        }
        Ok(Arc::clone(&known.all))
    }

    /// Asks the issuer, on a thread that may block. The turn belongs to the question and not to who waits for the answer.
    async fn ask<T, F>(&self, question: F) -> Result<T, Trouble>
    where
        T: Send + 'static,
        F: FnOnce(&Client) -> Result<T, Trouble> + Send + 'static,
    {
        let turn = timeout(TURN, Arc::clone(&self.turns).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            return Err(Trouble::Issuer(
                "too many logins wait for the issuer".into(),
            ));
        };
        let client = self.client.clone();
        let asked = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            question(&client)
        });
        let answer = asked.await;
        answer.unwrap_or_else(|error| {
            Err(Trouble::Issuer(format!(
                "a question to the issuer: {error}"
            )))
        })
    }
}

/// Keeps what is known of the issuer fresh, for as long as the server runs, so that the login page can tell whether it answers.
pub(crate) async fn follow(app: App) {
    let Some(provider) = app.oidc() else {
        return;
    };
    loop {
        // The next turn tries again, and whoever logs in does.
        let _ = provider.document().await;
        tokio::time::sleep(LOOK).await;
    }
}
