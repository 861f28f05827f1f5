//! What a run logs besides scalars: histograms, media, console lines and alerts.

use cresset_record::{Media, MediaDetail, Sample};

use super::Commit;
use crate::engine::{Arg, Transaction, step_to_sql};
use crate::error::StoreError;
use crate::index::fold::{Fold, media_kind};
use crate::index::ids::{ALERT_BITS, place_id};
use crate::index::stored::to_json;

impl Commit<'_> {
    pub(super) fn others(&self, tx: &mut dyn Transaction, fold: &Fold) -> Result<(), StoreError> {
        Self::histograms(tx, fold)?;
        self.media(tx, fold)?;
        self.console(tx, fold)?;
        self.alerts(tx, fold)
    }

    fn histograms(tx: &mut dyn Transaction, fold: &Fold) -> Result<(), StoreError> {
        for h in &fold.pending.histograms {
            let Some(slot) = fold.slots.get(h.slot) else {
                continue;
            };
            tx.execute(
                "INSERT INTO histograms (id, step, time, data) VALUES ($1, $2, $3, $4)",
                &[
                    place_id(slot.id, h.place).into(),
                    step_to_sql(h.step).into(),
                    h.time.0.into(),
                    h.data.as_slice().into(),
                ],
            )?;
        }
        Ok(())
    }

    fn media(&self, tx: &mut dyn Transaction, fold: &Fold) -> Result<(), StoreError> {
        for m in &fold.pending.media {
            let Some(slot) = fold.slots.get(m.slot) else {
                continue;
            };
            let sample = sample(&m.media);
            tx.execute(
                "INSERT INTO media (id, run, step, time, kind, true_class, predicted_class, data) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                &[
                    place_id(slot.id, m.place).into(),
                    self.run.into(),
                    step_to_sql(m.step).into(),
                    m.time.0.into(),
                    media_kind(&m.media.detail).as_str().into(),
                    sample.map(|s| s.true_class.as_str()).into(),
                    sample.map(|s| s.predicted_class.as_str()).into(),
                    to_json(&m.media)?.as_str().into(),
                ],
            )?;
        }
        Ok(())
    }

    fn console(&self, tx: &mut dyn Transaction, fold: &Fold) -> Result<(), StoreError> {
        for (number, (rank, line)) in (fold.head.console_lines..).zip(&fold.pending.console) {
            let fields = if line.fields.is_empty() {
                String::new()
            } else {
                to_json(&line.fields)?
            };
            tx.execute(
                "INSERT INTO console (id, rank, time, level, target, message, fields) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                &[
                    place_id(self.run, number).into(),
                    i64::from(rank.0).into(),
                    line.time.0.into(),
                    (line.level as i64).into(),
                    line.target.as_str().into(),
                    line.message.as_str().into(),
                    fields.as_str().into(),
                ],
            )?;
        }
        Ok(())
    }

    fn alerts(&self, tx: &mut dyn Transaction, fold: &Fold) -> Result<(), StoreError> {
        for (number, (rank, alert)) in (fold.head.alerts..).zip(&fold.pending.alerts) {
            tx.execute(
                "INSERT INTO alerts (id, rank, time, level, title, text, step) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                &[
                    (self.run << ALERT_BITS | number as i64).into(),
                    i64::from(rank.0).into(),
                    alert.time.0.into(),
                    (alert.level as i64).into(),
                    alert.title.as_str().into(),
                    alert.text.as_str().into(),
                    alert.step.map_or(Arg::Null, |step| Arg::Integer(step_to_sql(step))),
                ],
            )?;
        }
        Ok(())
    }
}

fn sample(media: &Media) -> Option<&Sample> {
    match &media.detail {
        MediaDetail::Image(image) => image.sample.as_ref(),
        _ => None,
    }
}
