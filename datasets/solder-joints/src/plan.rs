use crate::class::JointClass;
use crate::generate::GenerateConfig;
use crate::index::Split;
use crate::rng::Rng;

/// What one crop is to show, decided before anything is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct CropPlan {
    pub(crate) id: usize,
    pub(crate) class: JointClass,
    /// A good joint that shows a trace of this defect, too little for a reject.
    pub(crate) resembles: Option<JointClass>,
    /// Of the defect shown: 0 invisible, 1 blatant.
    pub(crate) severity: f32,
    pub(crate) split: Split,
    pub(crate) board: u32,
    pub(crate) line: u32,
    /// How far through its line's production the board is, 0 to 1.
    pub(crate) progress: f32,
}

impl CropPlan {
    /// The defect to draw, or `Good` for none.
    pub(crate) fn kind(&self) -> JointClass {
        self.resembles.unwrap_or(self.class)
    }
}

/// Shares of train, validation and test.
const SPLITS: [(Split, f32); 3] = [
    (Split::Train, 0.70),
    (Split::Val, 0.15),
    (Split::Test, 0.15),
];
/// Share of good joints with a trace of a defect.
const NEARLY_GOOD: f32 = 0.25;

/// Deals crops to boards, boards to lines and splits, and classes to the crops of each split.
pub(crate) fn plan(config: &GenerateConfig) -> Vec<CropPlan> {
    let boards = deal_boards(config);
    let lines = config.lines as usize;
    let on_line = |line: usize| boards.len() / lines + usize::from(line < boards.len() % lines);
    let mut plans: Vec<CropPlan> = (0..config.crops)
        .map(|id| {
            let board = id * boards.len() / config.crops;
            let line = board % lines;
            CropPlan {
                id,
                class: JointClass::Good,
                resembles: None,
                severity: 0.0,
                split: boards[board],
                board: board as u32,
                line: line as u32,
                progress: (board / lines) as f32 / (on_line(line).max(2) - 1) as f32,
            }
        })
        .collect();
    for (salt, (split, _)) in SPLITS.iter().enumerate() {
        let mut members: Vec<&mut CropPlan> = plans
            .iter_mut()
            .filter(|plan| plan.split == *split)
            .collect();
        let mut rng = Rng::keyed(config.seed, &[0xc1a55, salt as u64]);
        rng.shuffle(&mut members);
        let mut counts = quotas(members.len()).into_iter();
        let mut current = counts.next();
        for member in members {
            while let Some((_, 0)) = current {
                current = counts.next();
            }
            if let Some((class, left)) = &mut current {
                member.class = *class;
                *left -= 1;
            }
        }
    }
    for plan in &mut plans {
        grade(
            plan,
            &mut Rng::keyed(config.seed, &[0x9ade, plan.id as u64]),
        );
    }
    plans
}

/// The split of each board: within every line 70 / 15 / 15, in random order over the line's history.
fn deal_boards(config: &GenerateConfig) -> Vec<Split> {
    let boards = config.boards as usize;
    let lines = config.lines as usize;
    let mut splits = vec![Split::Train; boards];
    let mut owed = [0.0_f32; 3];
    for line in 0..lines {
        let mut on_line: Vec<usize> = (line..boards).step_by(lines).collect();
        Rng::keyed(config.seed, &[0xdea1, line as u64]).shuffle(&mut on_line);
        for board in on_line {
            for (debt, (_, share)) in owed.iter_mut().zip(SPLITS) {
                *debt += share;
            }
            let most = (0..3).fold(0, |best, i| if owed[i] > owed[best] { i } else { best });
            owed[most] -= 1.0;
            splits[board] = SPLITS[most].0;
        }
    }
    splits
}

/// How many crops of each class among `n`: by share, and at least one of each where there is room.
fn quotas(n: usize) -> Vec<(JointClass, usize)> {
    let mut counts: Vec<(JointClass, usize)> = JointClass::ALL
        .into_iter()
        .skip(1)
        .map(|class| {
            (
                class,
                ((n as f32 * class.share() + 0.5) as usize)
                    .max(usize::from(n >= JointClass::ALL.len())),
            )
        })
        .collect();
    let defects: usize = counts.iter().map(|(_, count)| count).sum();
    counts.push((JointClass::Good, n.saturating_sub(defects)));
    counts
}

/// Draws the severity. The ranges of good joints and defects overlap: inspectors disagree, too.
fn grade(plan: &mut CropPlan, rng: &mut Rng) {
    if plan.class != JointClass::Good {
        let u = rng.unit();
        plan.severity = 1.0 - 0.56 * u * u;
    } else if rng.chance(NEARLY_GOOD) {
        plan.resembles = Some(JointClass::ALL[1 + rng.below(5)]);
        plan.severity = 0.33 * rng.unit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_board_is_in_two_splits_and_every_line_is_in_all_three() {
        for (crops, boards, lines) in [(6_000, 120, 4), (42_000, 840, 4), (60, 12, 3), (6, 6, 6)] {
            let config = GenerateConfig {
                crops,
                boards,
                lines,
                ..GenerateConfig::default()
            };
            let plans = plan(&config);
            assert_eq!(plans.len(), crops);
            let boards_of = |split| {
                plans
                    .iter()
                    .filter(|p| p.split == split)
                    .map(|p| p.board)
                    .collect::<BTreeSet<_>>()
            };
            let [train, val, test] = Split::ALL.map(boards_of);
            assert!(train.is_disjoint(&val) && train.is_disjoint(&test) && val.is_disjoint(&test));
            assert!(!val.is_empty() && !test.is_empty());
            if boards >= 100 {
                let lines_of = |split| {
                    plans
                        .iter()
                        .filter(|p| p.split == split)
                        .map(|p| p.line)
                        .collect::<BTreeSet<_>>()
                };
                assert!(
                    Split::ALL
                        .into_iter()
                        .all(|split| lines_of(split).len() == lines as usize)
                );
                let share = train.len() as f32 / boards as f32;
                assert!((share - 0.70).abs() < 0.02, "{share}");
            }
        }
    }

    #[test]
    fn half_are_good_and_every_split_has_every_class() {
        let plans = plan(&GenerateConfig::default());
        for split in Split::ALL {
            let members: Vec<_> = plans.iter().filter(|plan| plan.split == split).collect();
            for class in JointClass::ALL {
                let share = members.iter().filter(|plan| plan.class == class).count() as f32
                    / members.len() as f32;
                assert!(
                    (share - class.share()).abs() < 0.01,
                    "{share} {class:?} in {split:?}"
                );
            }
        }
    }

    #[test]
    fn only_good_joints_resemble_something_and_only_faintly() {
        for plan in plan(&GenerateConfig::default()) {
            match plan.class {
                JointClass::Good => {
                    assert!(plan.severity < 0.4 && plan.resembles != Some(JointClass::Good));
                }
                _ => {
                    assert!(
                        plan.severity > 0.3 && plan.severity <= 1.0 && plan.resembles.is_none()
                    );
                }
            }
        }
    }
}
